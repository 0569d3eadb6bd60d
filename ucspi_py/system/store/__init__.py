"""Where greylisting remembers."""
