"""Milters of a configuration: which, what they are told at the gate, what follows where one fails. Never asks one."""
