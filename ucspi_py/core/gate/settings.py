"""What the operator asked of smtpgate, frozen, under the names of Postfix's parameters (postconf(5))."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ..rules.cidr import Network
from ..smtp.settings import SmtpSettings

if TYPE_CHECKING:
    from .restrictions.settings import RestrictionSettings

#: Where qmail keeps its control files.
QMAIL_CONTROL = "/var/qmail/control"
#: 127.0.0.0/8 and ::1/128. Postfix adds the networks of its interfaces: whoever shares a network with us could relay.
LOOPBACK = (Network(32, 127 << 24, 8), Network(128, 1, 128))


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The parameters of a gate.

    smtp: those of the dialogue. myhostname: the name in our replies; None = control/me. smtpd_banner: what stands
    behind ``220 ``, in the pieces between which our name stands; None = as qmail greets. message_size_limit: bytes of a
    message; 0 = no limit of ours, None = not set. mynetworks: clients in them may relay. relay_domains: domains for
    which recipients are taken beside those of rcpthosts, with all below them, in lower case; with lists they stand
    there. qmail_control: the directory of control files. restrictions: Postfix's lists; None = there are none.
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
