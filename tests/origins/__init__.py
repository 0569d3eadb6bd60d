"""Importers held against the programs whose lists they read: whom these keep out, the rules keep out."""
