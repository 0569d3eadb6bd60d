"""A chain program in a process of its own, under any server that speaks UCSPI."""
