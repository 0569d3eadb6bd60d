"""system: the rooms that touch files, sockets and clocks, each by itself."""
