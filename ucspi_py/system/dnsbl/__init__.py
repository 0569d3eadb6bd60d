"""A worker asks its zones."""
