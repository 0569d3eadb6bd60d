"""What several tests share: programs to compare with, servers to start, name servers that answer as told."""
