"""The ledger at work: grants are recorded and looked up."""
