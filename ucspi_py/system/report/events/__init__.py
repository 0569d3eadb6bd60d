"""The log as events, in forms that other programs read. Never decides."""
