"""Who a client of the gate is, by its environment, and the environment of its backend. Never looks anything up."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from ..address import canonical
from ..client.connection import UNIQUE_ID
from ..client.local import is_local
from ..rules.cidr import Network
from ..smtp.verdict import Refuse, told
from ..tls.facts import TlsFacts
from .settings import GateSettings

#: What smtpd says of a client without a name (postconf(5), smtpd_banner and its like).
UNKNOWN = b"unknown"
_NO_TLS = b"DISABLETLS"
_RELAYCLIENT, _RBLSMTPD = b"RELAYCLIENT", b"RBLSMTPD"
_CHANNEL, _RELAY = b"CHANNEL", b"RELAY"
#: What makes a patched qmail-smtpd wait, or speak TLS, before its banner, or have TLS and logins of its own. The gate
#: has let its client wait, and speaks without TLS with the backend: SMTPD_GREETDELAY and DROP_PRE_GREET delay it,
#: SMTPS has it wait for a TLS hello; FORCETLS, STARTTLS (indimail), UCSPITLS and SMTPAUTH have it offer what is ours,
#: or refuse us.
_NOT_OURS = (
    *(b"SMTPD_GREETDELAY", b"DROP_PRE_GREET"),
    *(b"SMTPS", b"FORCETLS", b"STARTTLS", b"UCSPITLS", b"SMTPAUTH"),
)
#: What says that a client has logged in, which the gate alone can know.
LOGIN_NAMES = (b"SMTPAUTHUSER", b"SMTP_AUTH_USER", b"SMTPAUTHMETHOD", b"AUTHINFO", b"AUTHENTICATED")
_TAKEN_AWAY = (*_NOT_OURS, *LOGIN_NAMES)


class Visitor(NamedTuple):
    """A client. Also a stranger has one.

    name: from DNS, ``unknown`` where there is none. ip: canonical address, ``unknown`` where the server gives none.
    relays: whether a rule or mynetworks says who it is, and that it may send to anybody; bare newlines and early
    talking are then forgiven, too. refusal: the verdict of the screens in front or of $RBLSMTPD, None = they have let
    it in. changes: of the backend's environment; None = the variable is removed. unique_id: of its connection, b"" =
    none. login: whom it has logged in as, and by which mechanism; b"" = it has not. tls: what is known of its TLS; None
    = it speaks none. certified: it has shown a certificate by which it may send to anybody. channel: the class of
    clients that it is in ($CHANNEL), b"" = none. takes_certificate: whether rules leave it to a certificate that it may
    send to anybody. is_local: it is a proxy that speaks for nobody, and may not become trusted.
    """

    name: bytes
    ip: bytes
    relays: bool = False
    refusal: Refuse | None = None
    changes: tuple[tuple[bytes, bytes | None], ...] = ()
    unique_id: bytes = b""
    login: bytes = b""
    method: bytes = b""
    tls: TlsFacts | None = None
    certified: bool = False
    channel: bytes = b""
    takes_certificate: bool = True
    is_local: bool = False

    @property
    def is_trusted(self) -> bool:
        """Whether it may send to anybody, by where it is or by who it is."""
        return self.relays or self.certified or bool(self.login)


def visitor(
    environment: Mapping[bytes, bytes], settings: GateSettings, refusal: Refuse | None = None, unique_id: bytes = b""
) -> Visitor:
    """Tell who the client is that the environment describes.

    refusal: of a screen in front, None = none. unique_id: of the connection, b"" = none.
    A rule's RELAYCLIENT stays as it is: qmail appends its value to each recipient. An address in mynetworks gets an
    empty one.
    """
    ip = _ip(environment.get(b"TCPREMOTEIP", b""))
    local = is_local(environment)
    ruled = _RELAYCLIENT in environment
    relays = not local and (ruled or is_in(ip, settings.mynetworks))
    changes: list[tuple[bytes, bytes | None]] = [(name, None) for name in _TAKEN_AWAY if name in environment]
    if environment.get(_RBLSMTPD):
        # We have spoken it, or spared the client; a patched qmail-smtpd would refuse postmaster and relays once more.
        changes.append((_RBLSMTPD, None))
    if local and ruled:
        changes.append((_RELAYCLIENT, None))
    if relays and not ruled:
        changes.append((_RELAYCLIENT, b""))
    if unique_id:
        changes.append((UNIQUE_ID, unique_id))
    return Visitor(
        name=environment.get(b"TCPREMOTEHOST") or UNKNOWN,
        ip=ip or UNKNOWN,
        relays=relays,
        refusal=refusal or _told(environment),
        changes=tuple(changes),
        unique_id=unique_id,
        channel=environment.get(_CHANNEL, b""),
        takes_certificate=not local and environment.get(_RELAY) != b"never",
        is_local=local,
    )


def within_tls(client: Visitor, facts: TlsFacts, settings: GateSettings) -> Visitor:
    """Tell who a client is that speaks TLS; its certificate lets it relay where a list permits that.

    A program that could do TLS itself is told not to (DISABLETLS, s/qmail's patches).
    """
    lists, changes = settings.restrictions, (*client.changes, (_NO_TLS, b"1"))
    is_permitted = lists is not None and lists.permits_certificates and client.takes_certificate
    if not facts.fingerprint or not is_permitted:
        return client._replace(changes=changes, tls=facts)
    if not client.relays:
        changes = (*changes, (_RELAYCLIENT, b""))
    return client._replace(refusal=None, changes=changes, tls=facts, certified=True)


def backend_environment(environment: Mapping[bytes, bytes], client: Visitor) -> dict[bytes, bytes]:
    """Build the environment of a client's backend from that which the server gives."""
    changed = dict(environment)
    for name, value in client.changes:
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed


def _told(environment: Mapping[bytes, bytes]) -> Refuse | None:
    verdict = told(environment.get(_RBLSMTPD))
    return verdict if isinstance(verdict, Refuse) else None


def _ip(text: bytes) -> bytes:
    """The canonical address; what is none stays as it is, and is in no network."""
    try:
        return canonical(text.decode("ascii"))
    except ValueError:
        return text


@lru_cache(maxsize=1024)
def is_in(ip: bytes, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of some networks. ip: canonical; what is no address is in none."""
    try:
        address = ipaddress.ip_address(ip.decode("ascii"))
    except ValueError:
        return False
    bits, number = address.max_prefixlen, int(address)
    return any(network.bits == bits and network.base <= number < network.end for network in networks)
