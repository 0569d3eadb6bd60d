"""The way of one client through a service, step by step, as values and in words. Decides nothing itself."""
