"""The numbers that a service shows of itself: counted in shared memory, told by a process of its own."""
