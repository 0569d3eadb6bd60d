"""What is told to the backend, and what its answers mean for the client. Decides."""
