"""What is installed: archives, the ways to install them, and what a new user does."""
