"""Where records are kept that outlive a process."""
