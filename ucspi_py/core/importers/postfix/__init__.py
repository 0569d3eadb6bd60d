"""Postfix's access(5), cidr_table(5) and mynetworks."""
