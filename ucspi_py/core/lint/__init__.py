"""What is wrong with a source of rules that compiles, or that does not. Decides."""
