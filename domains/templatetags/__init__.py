"""Tags of the inventory."""
