"""The launchers of bin/, run as users run them."""
