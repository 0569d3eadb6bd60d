"""The log of a proxy's own connections: checks of our health, of which there are many. What is wrong is said, once."""

from ...core.client.connection import Endpoints, Names
from .connection_log import ConnectionLog


class LocalLog(ConnectionLog):
    """Says nothing of a connection that is as it should be, and each trouble once a minute. See ConnectionLog."""

    def ruled(self, endpoints: Endpoints, origin: bytes) -> None:
        """Say nothing."""

    def parted(self, endpoints: Endpoints, names: Names) -> None:
        """Say nothing."""

    def denied(self, endpoints: Endpoints, _names: Names) -> None:
        """Say that a rule denies them."""
        self.without_header(endpoints.remote_ip, "its own connections are denied by a rule")

    def unsecured(self, endpoints: Endpoints, reason: str, *, has_program: bool = False) -> None:
        """Say nothing: a check that only looks whether we listen speaks no TLS."""

    def _tell_all(self, _endpoints: Endpoints, _status: int, *lines: bytes) -> None:
        """The last line says what is wrong; the others name the client."""
        self._complain(lines[-1].decode("utf-8", "replace"), lambda _text: self._log.warn(lines[-1]))
