"""What the operator asked of smtpgate, frozen, under the names of Postfix's parameters (postconf(5))."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..rules.cidr import Network
from ..smtp.settings import SmtpSettings

if TYPE_CHECKING:
    from .content.settings import ContentSettings
    from .logins.settings import LoginSettings
    from .milter.settings import GateMilters
    from .restrictions.settings import RestrictionSettings
    from .tls.settings import GateTls

#: Where qmail keeps its control files.
QMAIL_CONTROL = "/var/qmail/control"
#: 127.0.0.0/8 and ::1/128. Postfix adds the networks of its interfaces: whoever shares a network with us could relay.
LOOPBACK = (Network(32, 127 << 24, 8), Network(128, 1, 128))


@dataclass(frozen=True, slots=True)
class EventLimits:
    """What one client may do (anvil(8)); 0 = as much as it likes.

    smtpd_client_connection_count_limit: connections at once. smtpd_client_connection_rate_limit,
    smtpd_client_message_rate_limit, smtpd_client_recipient_rate_limit, smtpd_client_auth_rate_limit: connections,
    messages, recipients and AUTH commands within anvil_rate_time_unit seconds. smtpd_client_event_limit_exceptions:
    clients without limits; None = who may relay. service: its name in log lines. where: the place of a limit that was
    asked for, and its name; None = none was, and there is that of the default alone.
    """

    smtpd_client_connection_count_limit: int = 0
    smtpd_client_connection_rate_limit: int = 0
    smtpd_client_message_rate_limit: int = 0
    smtpd_client_recipient_rate_limit: int = 0
    smtpd_client_auth_rate_limit: int = 0
    anvil_rate_time_unit: int = 60
    smtpd_client_event_limit_exceptions: tuple[Network, ...] | None = None
    service: bytes = b"smtp"
    where: str | None = None

    @property
    def rates(self) -> tuple[int, int, int, int]:
        """The limits on events within a period, in the order of Event."""
        return (
            self.smtpd_client_connection_rate_limit,
            self.smtpd_client_message_rate_limit,
            self.smtpd_client_recipient_rate_limit,
            self.smtpd_client_auth_rate_limit,
        )


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The parameters of a gate.

    smtp: those of the dialogue. myhostname: the name in our replies; None = control/me. smtpd_banner: what stands
    behind ``220 ``, in the pieces between which our name stands; None = as qmail greets. message_size_limit: bytes of a
    message; 0 = no limit of ours, None = not set. mynetworks: clients in them may relay. relay_domains: domains for
    which recipients are taken beside those of rcpthosts, with all below them, in lower case; with lists they stand
    there. qmail_control: the directory of control files. restrictions: Postfix's lists; None = there are none.
    event_limits: what one client may do; None = as much as it likes. dry_run: refuse nobody whom the
    backend would not, and log who would be. content: header and body checks; None = there are none. logins: who may
    log in, and how; None = nobody may. relay_store: the ledger of grants, a path or a URL; None = there are none.
    tls: None = clients are offered none. milters: None = there are none.
    """

    log_name: ClassVar[bytes] = b"smtpgate"

    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    myhostname: bytes | None = None
    smtpd_banner: tuple[bytes, ...] | None = None
    message_size_limit: int | None = None
    mynetworks: tuple[Network, ...] = LOOPBACK
    relay_domains: frozenset[bytes] = frozenset()
    qmail_control: str = QMAIL_CONTROL
    restrictions: "RestrictionSettings | None" = None
    event_limits: EventLimits | None = None
    dry_run: bool = False
    content: "ContentSettings | None" = None
    logins: "LoginSettings | None" = None
    relay_store: str | None = None
    tls: "GateTls | None" = None
    milters: "GateMilters | None" = None
