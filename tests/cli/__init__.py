"""The programs by their options: what they print, and how they end."""
