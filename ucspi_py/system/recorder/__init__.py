"""The recorder: a daemon that is told of logins on a socket, and has them written to the ledger."""
