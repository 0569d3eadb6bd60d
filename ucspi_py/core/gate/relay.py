"""Which recipients pass: the gate's last check, which only a dry run leaves to the backend. Never reads a file.

It lets in whoever may relay, and mail for our own domains. The backend checks its rcpthosts once more behind it.
"""

from collections.abc import Iterator
from typing import Protocol

from ..smtp.path import Path, route
from ..smtp.reply import Reply, reply
from ..smtp.verdict import Refuse
from .settings import GateSettings
from .visitor import Visitor


class OwnDomains(Protocol):
    """What mail is taken for: what the mail system behind has, and where lists judge, what their parameters name."""

    def holds(self, domain: bytes) -> bool | None:
        """Whether a domain is one of ours; None = it cannot be told now."""

    def knows(self, recipient: Path) -> bool | None:
        """Whether there is such a recipient, also where nobody can say; None = it cannot be told now."""


def judge(recipient: Path, client: Visitor, domains: OwnDomains, settings: GateSettings) -> Reply | None:
    """Judge one recipient of a client -> the refusal; None = it passes.

    Bare postmaster always passes (RFC 5321, 4.5.1). Any other recipient without a domain is one of ours: qmail-smtpd
    and Postfix append a domain of theirs to it. Whether we know a recipient is said last, so that nobody learns it who
    would be refused anyhow.
    """
    if recipient.is_postmaster or client.is_trusted:
        return None
    return (
        _relay_flaw(recipient, domains, settings)
        or (spoken(client.refusal) if client.refusal else None)
        or _recipient_flaw(recipient, domains)
    )


def spares(recipient: Path, domains: OwnDomains, backends: OwnDomains) -> bool:
    """Whether a dry run may leave a refused recipient to the backend: it is ours, or the backend tells whose it is.

    Where nobody can tell, rcpthosts may be missing, and then qmail takes mail for everybody. domains: what we take mail
    for. backends: what the backend does.
    """
    domain = recipient.domain
    return domain is None or domains.holds(domain) is True or backends.holds(domain) is not None


def spoken(refusal: Refuse) -> Reply:
    """The reply that a screen's refusal is."""
    return reply(refusal.code, refusal.words)


def parents(domain: bytes) -> Iterator[bytes]:
    """Yield a domain and all above it: ``a.b.example``, ``b.example``, ``example``."""
    while domain:
        yield domain
        _, _, domain = domain.partition(b".")


def _relay_flaw(recipient: Path, domains: OwnDomains, settings: GateSettings) -> Reply | None:
    """Postfix's reject_unauth_destination."""
    if route(recipient) and not settings.smtp.allow_untrusted_routing:
        return _relay_denied(recipient)
    if recipient.domain is None or not settings.relay_domains.isdisjoint(parents(recipient.domain.lower())):
        return None
    is_own = domains.holds(recipient.domain)
    if is_own is None:
        return _cannot_tell(recipient)
    return None if is_own else _relay_denied(recipient)


def _recipient_flaw(recipient: Path, domains: OwnDomains) -> Reply | None:
    """Postfix's reject_unlisted_recipient."""
    is_known = domains.knows(recipient)
    if is_known is None:
        return _cannot_tell(recipient)
    return None if is_known else _unknown(recipient)


def _relay_denied(recipient: Path) -> Reply:
    return reply(554, b"5.7.1 <%b>: Relay access denied" % recipient.address)


def _cannot_tell(recipient: Path) -> Reply:
    return reply(451, b"4.3.0 <%b>: Temporary lookup failure" % recipient.address)


def _unknown(recipient: Path) -> Reply:
    return reply(550, b"5.1.1 <%b>: Recipient address rejected: User unknown" % recipient.address)
