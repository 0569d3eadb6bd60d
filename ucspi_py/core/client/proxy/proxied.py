"""A connection that has come by a proxy, and what its program is told of that. Never reads a header."""

from collections.abc import Mapping
from typing import NamedTuple

from ...tls import environment as tls_environment
from .. import limits
from ..connection import Endpoints
from ..local import LOCAL, PROXY_IP
from .header import Header

_PORT, _ID = b"TCPPROXYPORT", b"TCPPROXYID"
_RELAYCLIENT = b"RELAYCLIENT"
#: Behind whatever rules say of the proxy's address, which is no client's: nobody relays, neither by a grant nor by a
#: certificate, and there is nobody whom zones or a greylist could know.
_OF_LOCAL = ((LOCAL, b"1"), (b"RELAY", b"never"), (b"RBLSMTPD", b""), (b"GREYLIST", b""))


class Proxied(NamedTuple):
    """A connection.

    proxy: its own ends, the remote one is the proxy. header: what the proxy has said. endpoints: the client's, and the
    proxy's where there is none. is_local: whether it is the proxy's own.
    """

    proxy: Endpoints
    header: Header
    endpoints: Endpoints
    is_local: bool

    @property
    def named(self) -> tuple[bytes, bytes]:
        """The address of the proxy, and its id for the connection, b"" = none."""
        return self.proxy.remote_ip, self.header.unique_id

    def tell(self, environment: dict[bytes, bytes]) -> None:
        """Put into an environment what is known by the proxy alone, and take out what anybody else has said of it."""
        environment[PROXY_IP], environment[_PORT] = self.proxy.remote_ip, self.proxy.remote_port
        environment.pop(_ID, None)
        if self.header.unique_id:
            environment[_ID] = self.header.unique_id
        if not self.is_local:
            environment.pop(LOCAL, None)
        if self.header.tls:
            tls_environment.tell(environment, self.header.tls)
        else:
            tls_environment.forget(environment)


def proxied(proxy: Endpoints, header: Header) -> Proxied:
    """Tell whose connection it is. proxy: its own ends.

    The proxy's own is one of which it says so, and one that comes from its own address: HAProxy checks our health so by
    version 1, which cannot say more.
    """
    endpoints = header.endpoints or proxy
    return Proxied(proxy, header, endpoints, endpoints.remote_ip == proxy.remote_ip)


def local_variables(ruled: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Tell what a rule for the address of a proxy says of its own connections: it neither trusts nor limits them.

    ruled: (name, value) pairs of the rule.
    """
    kept = (one for one in ruled if one[0] != _RELAYCLIENT and not limits.are_set_by(one[0]))
    return (*kept, *_OF_LOCAL)


def local_environment(base: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Build the server's own environment for a proxy's own connections. base: as others have it."""
    return {name: value for name, value in base.items() if name != _RELAYCLIENT}
