"""Who is inside a service: what workers note, and the process that tells it."""
