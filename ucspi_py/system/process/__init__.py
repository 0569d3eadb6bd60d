"""What every process of ours needs of the system."""
