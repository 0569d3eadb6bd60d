"""DNS: packets in and out, which servers there are, and who is asked next. Decides."""
