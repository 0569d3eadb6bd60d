"""What stands around a configuration that is checked."""
