"""Groups of options of pytcpserver, and what they mean."""
