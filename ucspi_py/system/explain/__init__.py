"""The way of one client through a service, found out: nobody is served, and nothing is written."""
