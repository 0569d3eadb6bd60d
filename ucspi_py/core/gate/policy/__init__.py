"""Policy services that restriction lists ask: which, what they are told, what their answer does. Never asks one."""
