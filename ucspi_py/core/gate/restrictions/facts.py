"""What is known of a session when a command is judged. Never judges it."""

import enum
from typing import TYPE_CHECKING, NamedTuple

from ...smtp.path import Path
from .judgement import Deferral

if TYPE_CHECKING:
    from ..policy.particulars import Particulars

#: The name of a client that has none (postconf(5), smtpd_banner and its like).
UNKNOWN = b"unknown"


class Stage(enum.Enum):
    """The command that is judged, as Postfix logs it."""

    CONNECT = b"CONNECT"
    HELO = b"HELO"
    MAIL = b"MAIL"
    RCPT = b"RCPT"
    DATA = b"DATA"
    END_OF_MESSAGE = b"END-OF-MESSAGE"


class NameStatus(enum.Enum):
    """How the look-up of a client's name ended (smtpd_peer.c).

    OK: there is one. FAILED: nobody could say now. ABSENT: there is none. FORGED: its addresses are others.
    """

    OK = "ok"
    FAILED = "failed"
    ABSENT = "absent"
    FORGED = "forged"


class Facts(NamedTuple):
    """A client and what it said so far.

    stage: the command. ip: canonical. name: verified, reverse_name: as the PTR record says; both ``unknown`` where
    there is none. helo: raw; None before HELO. sender: None before MAIL. recipient: of RCPT, and of DATA and what
    follows where there is one alone. accepted: recipients of the message so far. ill_pipelining: it did not wait where
    it must (RFC 2920). relays: it is in mynetworks, or a rule says that it may relay. is_ours: its address is one of
    this host. deferred: what an earlier stage has left to be said (Judgement.deferred), only without
    smtpd_delay_reject. discard: an earlier command of the message was told to discard it. smtputf8: the message may
    have names in UTF-8 (RFC 6531). login: whom it has logged in as; b"" = it has not. channel: the class of clients
    that a rule, a grant or a login has put it into; b"" = none. secured: it speaks TLS. certified: and has shown a
    certificate of an authority of ours. ungreylisted: a rule spares it from greylisting. particulars: what policy
    services are told besides; None = there are none.
    """

    stage: Stage
    ip: bytes
    name: bytes = UNKNOWN
    name_status: NameStatus = NameStatus.ABSENT
    reverse_name: bytes = UNKNOWN
    reverse_name_status: NameStatus = NameStatus.ABSENT
    helo: bytes | None = None
    sender: Path | None = None
    recipient: Path | None = None
    accepted: int = 0
    ill_pipelining: bool = False
    relays: bool = False
    is_ours: bool = False
    deferred: Deferral | None = None
    discard: bool = False
    smtputf8: bool = False
    login: bytes = b""
    channel: bytes = b""
    secured: bool = False
    certified: bool = False
    ungreylisted: bool = False
    particulars: "Particulars | None" = None
