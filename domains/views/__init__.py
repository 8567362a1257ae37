"""Pages about domains: the inventory, the DNS kit and the tools."""
