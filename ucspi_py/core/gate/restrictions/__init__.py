"""Postfix's restriction lists (smtpd_check.c): what is asked of whom, and what becomes of a command."""
