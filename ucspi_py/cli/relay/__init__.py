"""pyrelay and its commands."""
