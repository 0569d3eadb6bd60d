"""How policy services are asked, frozen, under the names of postconf(5), and one service of a list."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from ..server import Server


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """How a service is asked: smtpd_policy_service_..., or what stands in its braces.

    default_action: what is done where it gives no answer; here Postfix has 451 4.3.5. max_idle: seconds after which a
    connection that nobody uses is closed. max_ttl: seconds after which any is. policy_context: what the service is told
    of the list. request_limit: questions on one connection, 0 = any. retry_delay: seconds between two tries. timeout:
    seconds for one answer with all tries; here Postfix has 100 for each. try_limit: tries. queue_directory: what the
    path of a socket is relative to.
    """

    default_action: bytes = b"DUNNO"
    max_idle: int = 300
    max_ttl: int = 1000
    policy_context: bytes = b""
    request_limit: int = 0
    retry_delay: int = 1
    timeout: int = 10
    try_limit: int = 2
    queue_directory: str = "/var/spool/postfix"


#: What may stand in the braces of a service.
NAMES = tuple(field.name for field in fields(PolicySettings) if field.name != "queue_directory")


class PolicyService(NamedTuple):
    """A service of a list.

    server: where it listens, text: as the list has that. own: what stands in its braces, each name with its value.
    """

    server: Server
    text: str
    own: tuple[tuple[str, bytes | int], ...] = ()

    def __str__(self) -> str:
        return self.text

    def settings(self, of_all: PolicySettings) -> PolicySettings:
        """Make the settings of this service. of_all: those of every service."""
        own: dict[str, object] = dict(self.own)
        return replace(of_all, **own)  # type: ignore[arg-type]
