"""Pages about people, teams, tokens and the audit log."""
