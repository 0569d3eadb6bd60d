"""The manual: its pages, their links, and what the programs say of themselves."""
