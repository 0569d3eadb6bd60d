"""pyucspitop: who is inside a service now."""
