"""The dialogue with a refused client. Decides."""
