"""What is found out of others: names, ident, DNS."""
