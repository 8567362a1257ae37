"""Pages about incidents, rules and destinations."""
