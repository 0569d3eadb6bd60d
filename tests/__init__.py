"""Tests with real parts: real processes, sockets, supervisors and name servers."""
