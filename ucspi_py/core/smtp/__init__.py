"""SMTP: the verdict of a screen, and the dialogue with a refused client. Decides."""
