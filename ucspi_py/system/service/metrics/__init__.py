"""The numbers of a service: what its workers count, and what its master does for who tells them."""
