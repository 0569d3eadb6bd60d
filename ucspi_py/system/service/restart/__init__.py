"""A new program in the place of a running one, under the same process id: SIGUSR2."""
