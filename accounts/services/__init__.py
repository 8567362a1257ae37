"""What can be done with people, teams and tokens; each function records who did it."""
