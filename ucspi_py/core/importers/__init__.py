"""Access lists of other programs -> rules source, with a word about everything that rules cannot say."""
