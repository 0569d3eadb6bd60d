"""The records of the greylists as an operator sees and changes them. Decides."""
