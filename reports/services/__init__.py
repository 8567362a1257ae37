"""What is done with reports: taken in, read, counted, attributed, kept and let go."""
