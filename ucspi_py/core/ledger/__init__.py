"""Who may relay for a while, since a mailbox was opened from there: grants, and what becomes of them. Decides."""
