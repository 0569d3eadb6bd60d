"""What --check says of milters. Never asks one."""
