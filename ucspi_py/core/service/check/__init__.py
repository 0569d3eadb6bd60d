"""What a look at a service before its start finds."""
