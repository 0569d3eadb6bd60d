"""The TLS of a configuration: its texts become GateTls. Never reads a key or a table."""

from collections.abc import Callable, Iterable

from ...errors import AskedWrongly
from ...tls.settings import Pair, TlsSettings
from ..language import values
from ..language.configuration import Configuration
from . import parameters
from .parameters import (
    ASK,
    CA_FILE,
    CA_PATH,
    CERTIFICATE,
    CHAINS,
    EC_CERTIFICATE,
    EC_KEY,
    ENFORCE,
    KEY,
    LEVEL,
    REQUIRE,
    SNI,
    TIMEOUT,
    USE,
    WRAPPER,
)
from .settings import GateTls

#: A table's name, as main.cf has it -> its keys and values. Raises AskedWrongly, Failure.
ReadTable = Callable[[str], Iterable[tuple[str, str]]]


def gate_tls(asked: Configuration, read_table: ReadTable) -> GateTls | None:
    """Make what is asked of TLS; None = none is. read_table: for the table of server names. Raises AskedWrongly."""
    wraps, level = asked.value(WRAPPER), _level(asked)
    if level == "none" and not wraps:
        return None
    pairs = (*_pairs(asked), *_named_pairs(asked, read_table))
    is_required = wraps or level == "encrypt"
    if not pairs:
        if is_required:
            raise AskedWrongly(f"{asked.where(WRAPPER if wraps else LEVEL)}: TLS is required, and {CHAINS} is not set")
        return None
    return GateTls(_settings(asked, pairs, is_required=is_required), is_required, wraps)


def _level(asked: Configuration) -> str:
    """The older parameters count where the newer one is not set (tls_level.c; smtpd.c, pre_jail_init)."""
    level: str = asked.value(LEVEL)
    if level:
        return level
    if asked.value(ENFORCE):
        return "encrypt"
    return "may" if asked.value(USE) else "none"


def _pairs(asked: Configuration) -> tuple[Pair, ...]:
    chains: tuple[str, ...] = asked.value(CHAINS)
    if chains:
        return tuple(Pair(chain, chain) for chain in chains)
    both = ((CERTIFICATE, KEY), (EC_CERTIFICATE, EC_KEY))
    named = [(asked.value(certificate), asked.value(key)) for certificate, key in both]
    return tuple(Pair(certificate, key or certificate) for certificate, key in named if certificate)


def _named_pairs(asked: Configuration, read_table: ReadTable) -> tuple[Pair, ...]:
    table = asked.text(SNI)
    if not table:
        return ()
    found = [
        Pair(chain, chain, (name.lower(),)) for name, chains in read_table(table) for chain in parameters.files(chains)
    ]
    if not found:
        raise AskedWrongly(f"{asked.where(SNI)}: {SNI}: {table} names no server")
    return tuple(found)


def _settings(asked: Configuration, pairs: tuple[Pair, ...], *, is_required: bool) -> TlsSettings:
    versions = asked.value("smtpd_tls_mandatory_protocols" if is_required else "smtpd_tls_protocols")
    asks = asked.value(ASK) or asked.value(REQUIRE)
    return TlsSettings(
        pairs,
        versions.lowest,
        versions.highest,
        _ciphers(asked, is_required=is_required),
        ca_file=_authorities(asked, is_required=is_required) if asks else None,
        requires_certificate=asked.value(REQUIRE),
        handshake_seconds=asked.value(TIMEOUT),
    )


def _ciphers(asked: Configuration, *, is_required: bool) -> str | None:
    """OpenSSL's own choice where nothing is said of them."""
    names = ["smtpd_tls_mandatory_ciphers" if is_required else "smtpd_tls_ciphers", "smtpd_tls_exclude_ciphers"]
    if is_required:
        names.append("smtpd_tls_mandatory_exclude_ciphers")
    lists = [f"tls_{grade}_cipherlist" for grade in ("medium", "high")]
    if not any(map(asked.is_given, (*names, *lists))):
        return None
    excluded = (one for name in names[1:] for one in asked.value(name))
    return ":".join((asked.value(f"tls_{asked.value(names[0])}_cipherlist"), *(f"!{one}" for one in excluded)))


def _authorities(asked: Configuration, *, is_required: bool) -> str:
    """Python refuses a client whose certificate is of nobody we know: on port 25 that is any mail server."""
    name = ASK if asked.value(ASK) else REQUIRE
    if not is_required:
        raise AskedWrongly(
            f"{asked.where(name)}: {name}: certificates are asked for only where TLS is required"
            f" ({LEVEL} = encrypt): a client whose certificate nobody knows would have no TLS"
        )
    if asked.parsed(CA_PATH, values.text):
        raise AskedWrongly(f"{asked.where(CA_PATH)}: {CA_PATH}: name a file of authorities, by {CA_FILE}")
    found: str = asked.value(CA_FILE)
    if not found:
        raise AskedWrongly(f"{asked.where(name)}: {name}: {CA_FILE} is not set, whose certificates are taken")
    return found
