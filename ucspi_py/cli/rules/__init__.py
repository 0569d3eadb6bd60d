"""pyrules and its commands."""
