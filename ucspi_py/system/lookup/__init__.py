"""Looking up: names and ident answers of clients, DNS. Does."""
