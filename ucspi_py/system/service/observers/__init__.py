"""What counts and watches in a service, where anybody asks for it: in its workers, and beside them."""
