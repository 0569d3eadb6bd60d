"""Relay tests carried out: the program of a service started for a client, or a server that is far away."""
