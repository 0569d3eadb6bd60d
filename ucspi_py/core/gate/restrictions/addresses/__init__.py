"""What an address or a name is and where it leads, for Postfix (trivial-rewrite, valid_hostname.c, match_list.c)."""
