"""Keys and settings -> a context of OpenSSL. Always a new one: a context whose keys cannot be loaded is broken."""

import ssl
from collections.abc import Callable, Sequence
from typing import TypeVar

from ...core.errors import Failure, unable
from ...core.tls.server_names import chosen
from ...core.tls.settings import Pair, TlsSettings

_OPTIONS = (
    ssl.OP_NO_RENEGOTIATION
    | ssl.OP_CIPHER_SERVER_PREFERENCE
    # An unread ticket makes our end reset the connection of a client that has sent its all and closed.
    | ssl.OP_NO_TICKET
)

_T = TypeVar("_T")


class Connection(ssl.SSLObject):
    """One client's TLS. server_name: which it has asked for, None = none."""

    server_name: str | None = None


def build(settings: TlsSettings, fds: Sequence[int]) -> ssl.SSLContext:
    """Build a context. fds: as KeySource gives them; they stay the caller's. Raises Failure, which names the files.

    A client that asks for a name which one of the pairs is for gets that one; all others, also those that ask for none,
    get what is for everybody, or else the first pair.
    """
    contexts: dict[tuple[str, ...], ssl.SSLContext] = {}
    for pair, fd in zip(settings.pairs, fds, strict=True):
        context = contexts.get(pair.names) or contexts.setdefault(pair.names, _empty(settings))
        _load(context, pair, fd)
    default = contexts.get(()) or next(iter(contexts.values()))
    default.sni_callback = _chooser({name: context for names, context in contexts.items() for name in names})
    return default


def _empty(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = Connection
    context.options |= _OPTIONS
    context.num_tickets = 0
    context.minimum_version = _version(settings.lowest, ssl.TLSVersion.MINIMUM_SUPPORTED)
    context.maximum_version = _version(settings.highest, ssl.TLSVersion.MAXIMUM_SUPPORTED)
    if settings.ciphers is not None:
        _tried(f"use the ciphers {settings.ciphers}", lambda: context.set_ciphers(settings.ciphers or ""))
    if settings.ca_file is not None:
        _tried(f"use {settings.ca_file}", lambda: context.load_verify_locations(settings.ca_file))
        context.verify_mode = ssl.CERT_REQUIRED if settings.requires_certificate else ssl.CERT_OPTIONAL
    return context


def _load(context: ssl.SSLContext, pair: Pair, fd: int) -> None:
    _tried(f"use {pair.certificate} with {pair.key}", lambda: context.load_cert_chain(f"/proc/self/fd/{fd}"))


def _version(name: str | None, default: ssl.TLSVersion) -> ssl.TLSVersion:
    return default if name is None else ssl.TLSVersion[name.replace(".", "_")]


def _tried(deed: str, attempt: Callable[[], None]) -> None:
    try:
        attempt()
    except ssl.SSLError as error:
        raise Failure(f"unable to {deed}: {reason(error)}") from None
    except OSError as error:
        raise unable(deed, error) from None


def reason(error: ssl.SSLError) -> str:
    """Say why OpenSSL failed, in its words: ``key values mismatch``. error: what it has raised."""
    words: str = getattr(error, "reason", None) or str(error.args[-1]).rstrip(".")
    return words.replace("_", " ").lower()


def _chooser(table: dict[str, ssl.SSLContext]) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """Only the certificate is another one then: all else stays that of the context that the client came to."""

    def choose(client: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name is not None:
            if isinstance(client, Connection):
                client.server_name = name
            context = chosen(table, name)
            if context:
                client.context = context

    return choose
