"""The numbers that a service shows of itself: their names, their text, and who asks for them."""
