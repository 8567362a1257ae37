"""Pages about reports, intakes and the inbox."""
