"""What the operator asked of the SMTP dialogue, frozen, under the names of Postfix's parameters (postconf(5))."""

import enum
from dataclasses import dataclass
from typing import NamedTuple


class BareNewline(enum.Enum):
    """What becomes of a message with a line that ends in LF without CR (smtpd_forbid_bare_newline)."""

    NO = "no"
    NORMALIZE = "normalize"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Limits and manners of a session.

    timeout: seconds for which a client may say nothing. error_sleep_time: seconds before each reply from
    soft_error_limit errors on; from hard_error_limit on it is left. recipient_limit: of one message;
    recipient_overshoot_limit: so many beyond it are refused before each counts as an error. junk_command_limit:
    commands that lead nowhere which are free. line_length_limit: bytes of a command line. min_data_rate: bytes a second
    of content. helo_required: no MAIL before HELO or EHLO. forbid_bare_newline: in a message; mynetworks are excepted,
    for them it is normalized. bare_newline_reject_code: of the reply to such a message. forbid_unauth_pipelining: leave
    whoever sends what RFC 2920 forbids. strict_rfc821_envelopes: take no address without < and >.
    disable_vrfy_command: VRFY is refused. allow_untrusted_routing: take user%domain@ours and its like. smtputf8_enable:
    announce and take SMTPUTF8 (RFC 6531). soft_bounce: whatever is refused is refused for now.
    """

    timeout: int = 300
    error_sleep_time: int = 1
    soft_error_limit: int = 10
    hard_error_limit: int = 20
    recipient_limit: int = 1000
    recipient_overshoot_limit: int = 1000
    junk_command_limit: int = 100
    line_length_limit: int = 2048
    min_data_rate: int = 500
    helo_required: bool = False
    forbid_bare_newline: BareNewline = BareNewline.REJECT
    bare_newline_reject_code: int = 550
    forbid_unauth_pipelining: bool = True
    strict_rfc821_envelopes: bool = False
    disable_vrfy_command: bool = False
    allow_untrusted_routing: bool = False
    smtputf8_enable: bool = False
    soft_bounce: bool = False


class Greeting(NamedTuple):
    """What one session says of its host, as it is when the client comes.

    myhostname: the name in our replies. banner: what stands behind ``220 ``. size: the largest message that is
    announced and taken at MAIL, in bytes; 0 = any. content_limit: bytes of content after which we refuse a message
    ourselves; 0 = the backend has the only limit.
    """

    myhostname: bytes
    banner: bytes
    size: int = 0
    content_limit: int = 0


class Starttls(enum.Enum):
    """Whether a client may begin TLS. BROKEN: it may, but there is no certificate just now."""

    NO = "no"
    YES = "yes"
    BROKEN = "broken"


class Offers(NamedTuple):
    """One session's offers, as they are when the client comes.

    starttls: STARTTLS. requires_tls: most commands are refused before TLS (smtpd_tls_security_level = encrypt).
    mechanisms: of AUTH before TLS, in capitals and in order; secured_mechanisms: within it; () = AUTH is not enabled.
    broken_clients: announce them once more, with ``=`` (broken_sasl_auth_clients). response_limit: bytes of a client's
    response (smtpd_sasl_response_limit). nonce: what no other session has, printable, for CRAM-MD5. secured: TLS has
    begun before the banner.
    """

    starttls: Starttls = Starttls.NO
    requires_tls: bool = False
    mechanisms: tuple[bytes, ...] = ()
    secured_mechanisms: tuple[bytes, ...] = ()
    broken_clients: bool = False
    response_limit: int = 12288
    nonce: bytes = b""
    secured: bool = False

    @property
    def takes_auth(self) -> bool:
        """Whether AUTH is enabled, if perhaps not yet."""
        return bool(self.mechanisms or self.secured_mechanisms)

    def taken(self, secured: bool) -> tuple[bytes, ...]:
        """Tell which mechanisms are taken now. secured: the session is within TLS."""
        return self.secured_mechanisms if secured else self.mechanisms

    def keywords(self, secured: bool) -> tuple[bytes, ...]:
        """Make the lines of the reply to EHLO. secured: the session is within TLS, which is not begun twice."""
        starttls = (b"STARTTLS",) if self.starttls is Starttls.YES and not secured else ()
        mechanisms = b" ".join(self.taken(secured))
        if not mechanisms:
            return starttls
        broken = (b"AUTH=" + mechanisms,) if self.broken_clients else ()
        return (*starttls, b"AUTH " + mechanisms, *broken)


#: Those of a session without TLS and logins.
NOTHING = Offers()
