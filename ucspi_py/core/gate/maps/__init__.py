"""Postfix's lookup tables (DATABASE_README): how one is named, what its source says, which value a key has."""
