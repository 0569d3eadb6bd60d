"""The programs that stand before another one: what they are asked, and how they are run alone."""
