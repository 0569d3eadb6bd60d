"""What qmail's control files say, and what the gate makes of it (qmail-smtpd(8)). Never reads a file."""

from collections.abc import Callable, Collection, Iterator, Mapping

from ..numbers import scan_ulong
from ..smtp.path import Path
from ..smtp.settings import Greeting
from .settings import GateSettings

#: Gives the value of a key of a cdb, or None.
Get = Callable[[bytes], bytes | None]

_BLANKS = b" \t\n"
_ESMTP = b" ESMTP"
_DATABYTES = b"DATABYTES"


def first_line(data: bytes) -> bytes:
    """Read a file of one line (control.c, control_readline)."""
    return data.partition(b"\n")[0].rstrip(_BLANKS)


def number(data: bytes) -> int:
    """Read a file of one number (control.c, control_readint); what is none is 0."""
    return scan_ulong(first_line(data))


def hosts(data: bytes) -> frozenset[bytes]:
    """Read rcpthosts, in lower case (control.c, control_readfile; rcpthosts.c, where case does not matter)."""
    lines = (line.rstrip(_BLANKS) for line in data.lower().split(b"\n"))
    return frozenset(line for line in lines if line and not line.startswith(b"#"))


def is_ours(domain: bytes, rcpthosts: Collection[bytes], more: Get | None) -> bool:
    """Whether rcpthosts or morercpthosts.cdb has a domain (rcpthosts.c). more: looks up the latter, None = none."""
    keys = tuple(_host_keys(domain.lower()))
    return any(key in rcpthosts for key in keys) or (more is not None and any(more(key) is not None for key in keys))


def is_known(recipient: Path, validrcptto: Get) -> bool:
    """Whether validrcptto.cdb has a recipient (John Simpson's validrcptto.cdb patch).

    The first of its keys decides: ``user-ext@domain``, ``user-default@domain``, ``@domain``. A value that begins with -
    says that there is nobody.
    """
    for key in _recipient_keys(recipient):
        value = validrcptto(key)
        if value is not None:
            return not value.startswith(b"-")
    return False


def databytes(environment: Mapping[bytes, bytes], said: int | None) -> int:
    """The bytes that qmail-smtpd takes of a message; 0 = any. said: by control/databytes, None = there is none."""
    variable = environment.get(_DATABYTES)
    return (said or 0) if variable is None else scan_ulong(variable)


def greeting(settings: GateSettings, myhostname: bytes, smtpgreeting: bytes | None, most: int) -> Greeting:
    """Make what a session says of its host.

    myhostname: our name. smtpgreeting: of the control file, None = there is none. most: the bytes of a message that the
    backend takes, 0 = any. Both that limit and message_size_limit hold, and the backend's is left to it.
    """
    banner = settings.smtpd_banner
    ours = settings.message_size_limit or 0
    return Greeting(
        myhostname=myhostname,
        banner=(smtpgreeting or myhostname) + _ESMTP if banner is None else myhostname.join(banner),
        size=min(filter(None, (ours, most)), default=0),
        content_limit=ours if not most or ours < most else 0,
    )


def _host_keys(domain: bytes) -> Iterator[bytes]:
    """A domain, then what stands in rcpthosts for all below a domain above it: ``.b.example``, ``.example``."""
    if domain:
        yield domain
    position = domain.find(b".", 1)
    while position > 0:
        yield domain[position:]
        position = domain.find(b".", position + 1)


def _recipient_keys(recipient: Path) -> Iterator[bytes]:
    user = recipient.local.lower()
    if recipient.domain is None:
        yield user
        return
    at_domain = b"@" + recipient.domain.lower()
    yield user + at_domain
    while b"-" in user:
        user = user.rpartition(b"-")[0]
        yield user + b"-default" + at_domain
    yield at_domain
