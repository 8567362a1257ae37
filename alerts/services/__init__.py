"""What can be done with rules, incidents, destinations and messages."""
