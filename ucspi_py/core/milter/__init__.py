"""The milter protocol from the MTA's side, as bytes and values: what a filter is told, and what it says. No I/O."""
