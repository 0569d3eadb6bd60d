"""Header and body checks at work: tables are asked, and nobody else waits for it."""
