"""All that may happen to a server with records, each with what makes it well again; and a URL that all of it is for."""

from collections.abc import Callable

from .ports import free_port
from .redisserver import RedisServer

#: Makes a server well again.
Mend = Callable[[], None]

_USER, _PASSWORD = "mail", "s3cret"


def with_user(redis: RedisServer) -> str:
    """Make a user of its own -> the URL with that user, who may do everything."""
    _allow(redis)
    return redis.url.replace("//", f"//{_USER}:{_PASSWORD}@")


def is_gone(redis: RedisServer) -> Mend:
    """Kill it; it comes back empty."""
    redis.kill()

    def start() -> None:
        redis.start()
        _allow(redis)

    return start


def hangs(redis: RedisServer) -> Mend:
    """Stop it."""
    redis.stop()
    return redis.go_on


def is_demoted(redis: RedisServer) -> Mend:
    """Make a replica of it, which takes no writes."""
    _tell(redis, f"REPLICAOF 127.0.0.1 {free_port()}")
    return lambda: _tell(redis, "REPLICAOF NO ONE")


def is_full(redis: RedisServer) -> Mend:
    """Let it have no room for anything, and throw away nothing."""
    _tell(redis, "CONFIG SET maxmemory 1")
    return lambda: _tell(redis, "CONFIG SET maxmemory 0")


def has_another_password(redis: RedisServer) -> Mend:
    """Change the user's, and end all connections."""
    _tell(redis, f"ACL SETUSER {_USER} resetpass >another")
    redis.ask("CLIENT KILL TYPE normal")
    return lambda: _allow(redis)


def allows_less(redis: RedisServer) -> Mend:
    """Take the user's rights away."""
    _tell(redis, f"ACL SETUSER {_USER} nocommands")
    return lambda: _allow(redis)


def _allow(redis: RedisServer) -> None:
    _tell(redis, f"ACL SETUSER {_USER} reset on >{_PASSWORD} ~* +@all")


def _tell(redis: RedisServer, command: str) -> None:
    assert redis.ask(command) == b"+OK", command
