"""A proxy's own connection, as its environment tells of it: a check of our health. Nobody stands behind it."""

from collections.abc import Mapping

LOCAL = b"PROXYLOCAL"
PROXY_IP = b"TCPPROXYIP"


def is_local(environment: Mapping[bytes, bytes]) -> bool:
    """Whether it is one: nobody may relay there, and there is nobody to be known by an address."""
    return LOCAL in environment


def hides_client(environment: Mapping[bytes, bytes]) -> bool:
    """Whether the peer of a program's socket is a proxy, and not the client."""
    return PROXY_IP in environment
