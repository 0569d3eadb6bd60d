"""Access lists of other programs -> rules source, and all that rules cannot express, with its line. Decides."""
