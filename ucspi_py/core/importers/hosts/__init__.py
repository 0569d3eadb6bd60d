"""hosts_access(5) and hosts_options(5)."""
