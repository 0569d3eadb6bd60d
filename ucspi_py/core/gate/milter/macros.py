"""The values of macros: what milters are told beside an event (smtpd_milter.c, smtpd_milter_eval; MILTER_README)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from ...smtp.path import Path
from ...smtp.reply import Reply
from ...tls.facts import TlsFacts
from ...tls.subject import common_name, issuer_name
from ..visitor import Visitor
from .settings import MacroTexts

_FORGED = b" (may be forged)"


#: Whether we take mail for a domain; None = it cannot be told now.
Holds = Callable[[bytes], bool | None]


def _holds_none(_domain: bytes) -> bool:
    return False


class ClientFacts(NamedTuple):
    """What macros tell of a client's connection.

    hostname: ours. daemon_name, version: of {daemon_name} and v. defaults: of macros that have no value. name: of the
    client, verified; reverse_name: not verified; ``unknown`` = none. name_status: as {client_resolve} has it. ip, port:
    of the client. connections: of the client at once, 0 = nobody counts them. server_ip, server_port: ours. holds:
    which domains we take mail for.
    """

    hostname: bytes = b""
    daemon_name: bytes = b""
    version: bytes = b""
    defaults: Mapping[bytes, bytes] = MappingProxyType({})
    name: bytes = b"unknown"
    reverse_name: bytes = b"unknown"
    name_status: bytes = b"OK"
    ip: bytes = b""
    port: bytes = b""
    connections: int = 0
    server_ip: bytes = b""
    server_port: bytes = b""
    holds: Holds = _holds_none


class MacroFacts(NamedTuple):
    """What macros tell of.

    client: its connection. tls: None = it speaks none. login, method: of its login; b"" = none. login_sender: AUTH= of
    MAIL. queue_id: b"" = not yet. sender, recipient: None = not yet. refusal: of the recipient, None = it passes.
    """

    client: ClientFacts
    tls: TlsFacts | None = None
    login: bytes = b""
    method: bytes = b""
    login_sender: bytes = b""
    queue_id: bytes = b""
    sender: Path | None = None
    recipient: Path | None = None
    refusal: Reply | None = None


def client_facts(
    environment: Mapping[bytes, bytes],
    visitor: Visitor,
    hostname: bytes,
    texts: MacroTexts,
    holds: Holds = _holds_none,
) -> ClientFacts:
    """Tell of a client's connection what macros do.

    environment: of it. hostname: ours. texts: of the configuration. holds: which domains we take mail for.
    """
    return ClientFacts(
        hostname=hostname,
        daemon_name=hostname.join(texts.daemon_name),
        version=texts.version,
        defaults=texts.defaults,
        name=visitor.name,
        reverse_name=visitor.name,
        ip=visitor.ip,
        port=environment.get(b"TCPREMOTEPORT", b""),
        server_ip=environment.get(b"TCPLOCALIP", b""),
        server_port=environment.get(b"TCPLOCALPORT", b""),
        holds=holds,
    )


def values(names: tuple[bytes, ...], facts: MacroFacts) -> list[bytes]:
    """Tell names of macros, each with its value behind it; one that has none now and none by default is left out."""
    found: list[bytes] = []
    defaults = facts.client.defaults
    for name, bare, known in _known(names):
        value = known(facts) if known else None
        if value is None:
            value = defaults.get(bare)
        if value is not None:
            found += name, value
    return found


@lru_cache(64)
def _known(names: tuple[bytes, ...]) -> tuple[tuple[bytes, bytes, Callable[[MacroFacts], bytes | None] | None], ...]:
    """Find what tells of each, once for each list: its name, that without braces, and what there is."""
    bare = (name.strip(b"{}") for name in names)
    return tuple((name, one, _VALUES.get(one)) for name, one in zip(names, bare, strict=True))


def _of_tls(tell: Callable[[TlsFacts], bytes]) -> Callable[[MacroFacts], bytes | None]:
    def value(facts: MacroFacts) -> bytes | None:
        return (tell(facts.tls) or None) if facts.tls else None

    return value


def _origin(facts: MacroFacts) -> bytes:
    client = facts.client
    forged = client.name.lower() != client.reverse_name.lower()
    return b"%b [%b]%b" % (client.reverse_name, client.ip, _FORGED if forged else b"")


def _client_address(facts: MacroFacts) -> bytes:
    ip = facts.client.ip
    return b"IPv6:" + ip if b":" in ip else ip


def _of_certificate(tell: Callable[[TlsFacts], bytes]) -> Callable[[MacroFacts], bytes | None]:
    def value(facts: MacroFacts) -> bytes | None:
        return tell(facts.tls) or None if facts.tls and facts.tls.fingerprint else None

    return value


def _address(path: Path | None) -> bytes | None:
    """As Postfix writes it anew, with a domain in small letters."""
    return None if path is None else Path(path.local, path.domain and path.domain.lower()).address


def _host(path: Path | None, hostname: bytes) -> bytes | None:
    """Where mail for an address goes: its domain, ours where it has none."""
    return None if path is None else path.domain or hostname


def _mailer(path: Path | None, holds: Holds) -> bytes | None:
    """Of Postfix's transports those that every configuration has: its virtual and relay are local here."""
    if path is None:
        return None
    return b"local" if path.domain is None or holds(path.domain.lower()) else b"smtp"


def _recipient(facts: MacroFacts) -> bytes | None:
    """The address, or why it is refused: the text of a refusal behind its codes."""
    return _split(facts.refusal)[1] if facts.refusal else _address(facts.recipient)


def _recipient_host(facts: MacroFacts) -> bytes | None:
    return _split(facts.refusal)[0] if facts.refusal else _host(facts.recipient, facts.client.hostname)


def _recipient_mailer(facts: MacroFacts) -> bytes | None:
    return b"error" if facts.refusal else _mailer(facts.recipient, facts.client.holds)


def _split(refusal: Reply) -> tuple[bytes, bytes | None]:
    """``5.7.1 <a@b>: Denied`` -> the enhanced code, and the text behind the address."""
    code, _, rest = refusal.texts[0].partition(b" ")
    _, blank, text = rest.partition(b" ")
    return code, text if blank else None


_VALUES: dict[bytes, Callable[[MacroFacts], bytes | None]] = {
    b"j": lambda facts: facts.client.hostname,
    b"daemon_name": lambda facts: facts.client.daemon_name,
    b"v": lambda facts: facts.client.version,
    b"_": _origin,
    b"client_addr": _client_address,
    b"client_port": lambda facts: facts.client.port or b"0",
    b"client_connections": lambda facts: b"%d" % facts.client.connections,
    b"client_name": lambda facts: facts.client.name,
    b"client_ptr": lambda facts: facts.client.reverse_name,
    b"client_resolve": lambda facts: facts.client.name_status,
    b"daemon_addr": lambda facts: facts.client.server_ip,
    b"daemon_port": lambda facts: facts.client.server_port,
    b"tls_version": _of_tls(lambda tls: tls.protocol),
    b"cipher": _of_tls(lambda tls: tls.cipher),
    b"cipher_bits": _of_tls(lambda tls: b"%d" % tls.bits),
    b"tls_sni": _of_tls(lambda tls: tls.server_name),
    b"cert_subject": _of_certificate(lambda tls: common_name(tls.subject)),
    b"cert_issuer": _of_certificate(lambda tls: issuer_name(tls.issuer)),
    b"i": lambda facts: facts.queue_id or None,
    b"auth_type": lambda facts: facts.method or None,
    b"auth_authen": lambda facts: facts.login or None,
    b"auth_author": lambda facts: facts.login_sender or None,
    b"mail_addr": lambda facts: _address(facts.sender),
    b"mail_host": lambda facts: _host(facts.sender, facts.client.hostname),
    b"mail_mailer": lambda facts: _mailer(facts.sender, facts.client.holds),
    b"rcpt_addr": _recipient,
    b"rcpt_host": _recipient_host,
    b"rcpt_mailer": _recipient_mailer,
}
