"""Who is inside a service now, for pyucspitop."""
