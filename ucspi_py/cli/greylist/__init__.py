"""pygreylist and its commands."""
