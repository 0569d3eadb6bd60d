"""DNS: messages, names, name servers, and which one is asked next. Decides."""
