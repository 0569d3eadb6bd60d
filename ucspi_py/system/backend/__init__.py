"""The program behind: how it is started."""
