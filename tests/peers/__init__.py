"""What needs real foreign daemons and is not part of the ordinary run: sh tests/peers/run."""
