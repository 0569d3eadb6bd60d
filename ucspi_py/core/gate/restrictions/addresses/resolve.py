"""Where an address leads: whether it is ours, and of which kind (trivial-rewrite: rewrite.c, resolve.c)."""

from ....address import canonical
from ....smtp.path import Path
from ..evaluation import Evaluation
from ..settings import Destinations
from .address import said
from .hostname import is_bracketed, mail_address
from .resolved import Kind, Resolved
from .tables import TableFailed, is_in

#: Whom every domain has.
_ANYBODY = b"postmaster"


def resolve(evaluation: Evaluation, path: Path) -> Resolved:
    """Tell where an address leads. Raises TableFailed."""
    found = evaluation.resolved.get(path)
    if found is None:
        found = evaluation.resolved[path] = _resolve(evaluation, path)
    return found


def resolve_domain(evaluation: Evaluation, domain: bytes) -> Resolved:
    """Tell where mail for the postmaster of a domain leads, whose name leads nowhere else. Raises TableFailed."""
    local, domain = _completed(_ANYBODY, domain.lower(), evaluation.settings.destinations)
    return (
        Resolved(local, domain, Kind.LOCAL) if _is_local(evaluation, domain) else _elsewhere(evaluation, local, domain)
    )


def resolved_or_refused(evaluation: Evaluation, path: Path) -> Resolved:
    """Tell where an address leads; refuse for now where a table cannot be read."""
    try:
        return resolve(evaluation, path)
    except TableFailed:
        evaluation.fail_lookup(said(path))


def _resolve(evaluation: Evaluation, path: Path) -> Resolved:
    destinations = evaluation.settings.destinations
    local, domain = _completed(path.local.lower(), path.domain and path.domain.lower(), destinations)
    # Each turn takes a domain or an operator away.
    for _ in range(len(local) + 2):
        if not _is_local(evaluation, domain):
            return _elsewhere(evaluation, local, domain)
        inner = _inner(local, destinations)
        if inner is None:
            break
        local, domain = inner
    return Resolved(local or b"mailer-daemon", domain, Kind.LOCAL, _is_routed(local))


def _completed(local: bytes, domain: bytes | None, destinations: Destinations) -> tuple[bytes, bytes]:
    """Both parts of an address, as rewrite_tree() completes it."""
    if domain is None:
        inner = None if b"@" in local else _unrouted(local, destinations)
        local, domain = inner or (local, destinations.myorigin.lower())
    if destinations.append_dot_mydomain and domain and b"." not in domain and not domain.startswith(b"["):
        domain += b"." + destinations.mydomain.lower()
    return local, domain


def _unrouted(local: bytes, destinations: Destinations) -> tuple[bytes, bytes] | None:
    """``site!user`` and ``user%site`` -> user and site; None where it is neither."""
    if destinations.swap_bangpath and b"!" in local:
        site, _, user = local.partition(b"!")
        return user, site
    if destinations.allow_percent_hack and b"%" in local:
        user, _, site = local.rpartition(b"%")
        return user, site
    return None


def _inner(local: bytes, destinations: Destinations) -> tuple[bytes, bytes] | None:
    """The address within the local part of one of ours; None where there is none."""
    if b"@" in local:
        user, _, site = local.rpartition(b"@")
        return _completed(user, site, destinations)
    inner = _unrouted(local, destinations)
    return inner and _completed(*inner, destinations)


def _is_local(evaluation: Evaluation, domain: bytes) -> bool:
    """Whether mydestination has a domain, or it is an address of this host (resolve_local.c)."""
    destinations = evaluation.settings.destinations
    if is_in(evaluation, domain, destinations.mydestination):
        return True
    address = mail_address(domain[1:-1]) if is_bracketed(domain) else None
    return address is not None and _usual(address) in destinations.own_addresses


def _usual(address: bytes) -> bytes:
    try:
        return canonical(address.decode("ascii"))
    except ValueError:
        return address


def _elsewhere(evaluation: Evaluation, local: bytes, domain: bytes) -> Resolved:
    destinations = evaluation.settings.destinations
    routed = _is_routed(local)
    if is_in(evaluation, domain, destinations.virtual_alias_domains):
        return Resolved(local, domain, Kind.ALIAS, routed)
    if is_in(evaluation, domain, destinations.virtual_mailbox_domains):
        return Resolved(local, domain, Kind.VIRTUAL, routed)
    if is_in(evaluation, domain, destinations.relay_domains, parameter="relay_domains"):
        return Resolved(local, domain, Kind.RELAY, routed)
    is_own = evaluation.is_own(domain)
    return Resolved(local, domain, Kind.OWN if is_own else Kind.OTHER, routed, unsure=is_own is None)


def _is_routed(local: bytes) -> bool:
    """RESOLVE_FLAG_ROUTED: whatever the next host makes of these."""
    return b"@" in local or b"!" in local or b"%" in local
