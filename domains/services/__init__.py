"""What can be done with domains; each function records who did it."""
