"""A policy server as postgrey is one: what is asked, what is answered, what is said of it. Decides."""
