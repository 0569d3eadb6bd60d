"""pypostgrey: a policy server with postgrey's command line."""
