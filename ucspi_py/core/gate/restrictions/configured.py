"""The restriction lists of a configuration: its texts become RestrictionSettings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from functools import partial
from ipaddress import ip_address
from typing import Any, TypeVar

from ...errors import AskedWrongly
from ..language.configuration import Configuration
from ..language.restriction_parameters import LISTS
from ..language.words import Word
from .addresses.resolved import Kind
from .domains import parse_domains, parse_maps
from .parse import parse_classes, parse_list
from .relay_check import check_relay
from .restriction import Restrictions
from .settings import Codes, Destinations, RestrictionSettings

_Read = TypeVar("_Read")

#: Lists that have no check of their own for a table without a name before it.
WITHOUT_OWN_CHECK = ("smtpd_data_restrictions", "smtpd_end_of_data_restrictions")
#: inet_interfaces: every address of the host, and those that nobody else can reach.
_ALL, _LOOPBACK_ONLY = "all", "loopback-only"
_LOOPBACK = (b"127.0.0.1", b"::1")
_FLAGS = (
    "smtpd_relay_before_recipient_restrictions",
    "smtpd_delay_reject",
    "smtpd_reject_unlisted_recipient",
    "smtpd_reject_unlisted_sender",
    "soft_bounce",
    "owner_request_special",
    "smtpd_sasl_auth_enable",
)
_HABITS = (
    "append_dot_mydomain",
    "swap_bangpath",
    "allow_percent_hack",
    "allow_untrusted_routing",
    "show_user_unknown_table_name",
)
#: Parameters that are lists of domains, and of tables of users.
DOMAINS = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
MAPS = (
    "canonical_maps",
    "recipient_canonical_maps",
    "sender_canonical_maps",
    "virtual_alias_maps",
    "virtual_mailbox_maps",
    "local_recipient_maps",
    "relay_recipient_maps",
)


def restriction_settings(
    configuration: Configuration, host_addresses: Callable[[], Iterable[bytes]] = tuple
) -> RestrictionSettings:
    """Make the lists of a configuration.

    host_addresses: gives the canonical addresses of this host; asked where inet_interfaces is all. Raises AskedWrongly
    with the place of what is wrong, and where lists are set by which a stranger could relay, as Postfix's smtpd does
    (check_relay).
    """
    classes = parse_classes(configuration.classes())
    lists: dict[str, Any] = {
        name: parse_list(configuration.words(name), classes, takes_bare_tables=name not in WITHOUT_OWN_CHECK)
        for name in LISTS
    }
    settings = RestrictionSettings(
        **lists,
        **{name: configuration.value(name) for name in _FLAGS},
        smtpd_restriction_classes=classes,
        unknown_address_tempfail_defers_if_permit=configuration.value("unknown_address_tempfail_action"),
        unknown_helo_hostname_tempfail_defers_if_permit=configuration.value("unknown_helo_hostname_tempfail_action"),
        smtpd_null_access_lookup_key=_bytes(configuration.text("smtpd_null_access_lookup_key")),
        parent_domain_matches_subdomains=frozenset(
            word.text for word in configuration.words("parent_domain_matches_subdomains")
        ),
        recipient_delimiter=_bytes(configuration.text("recipient_delimiter")),
        smtpd_sender_login_maps=parse_maps(configuration.user_tables("smtpd_sender_login_maps")),
        codes=Codes(**{field.name: configuration.value(field.name) for field in fields(Codes)}),
        destinations=_destinations(configuration, host_addresses),
    )
    if any(map(configuration.is_given, LISTS)):
        check_relay(settings)
    if settings.greylists:
        from ..greylist.configured import triplet_settings  # which few have

        settings = replace(settings, greylist=triplet_settings(configuration, _store(settings.greylists)))
    return _with_policy(settings, configuration) if settings.policy_services else settings


def _store(restrictions: Restrictions) -> str:
    """The store of all of them: of two, one would not know what the other does."""
    first, *others = restrictions
    for one in others:
        if one.store != first.store:
            raise AskedWrongly(f"{one.where}: check_greylist has another store here than in {first.where}")
    return first.store


def _with_policy(settings: RestrictionSettings, configuration: Configuration) -> RestrictionSettings:
    from ..policy.configured import policy_settings
    from .checks.actions import flaw

    of_action = partial(flaw, classes=settings.smtpd_restriction_classes)
    return replace(settings, policy=policy_settings(configuration, of_action))


def _destinations(configuration: Configuration, host_addresses: Callable[[], Iterable[bytes]]) -> Destinations:
    defaults = Destinations()
    origin = _known(configuration, "myorigin", defaults.myorigin)
    hostname = _known(configuration, "myhostname", defaults.myorigin)
    domains: dict[str, Any] = {name: parse_domains(_words(configuration, name)) for name in DOMAINS}
    tables: dict[str, Any] = {name: parse_maps(configuration.user_tables(name)) for name in MAPS}
    return Destinations(
        # A path stands for what the file says, which is our name on any sound host.
        myorigin=hostname if origin.startswith(b"/") else origin,
        mydomain=_known(configuration, "mydomain", defaults.mydomain),
        **domains,
        **tables,
        **{name: configuration.value(name) for name in _HABITS},
        own_addresses=frozenset(_addresses(configuration, host_addresses)),
        unwritten=frozenset(_unwritten(configuration)),
    )


def _addresses(configuration: Configuration, host_addresses: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    """The addresses of inet_interfaces and proxy_interfaces; a name among them is looked up by nobody."""
    for name in ("inet_interfaces", "proxy_interfaces"):
        for word in configuration.words(name):
            if word.text.lower() == _ALL:
                yield from host_addresses()
            elif word.text.lower() == _LOOPBACK_ONLY:
                yield from _LOOPBACK
            else:
                yield from _written_address(word.text)


def _written_address(text: str) -> Iterator[bytes]:
    try:
        yield ip_address(text.strip("[]")).compressed.encode("ascii")
    except ValueError:
        return


def _unwritten(configuration: Configuration) -> Iterator[Kind]:
    """The kinds whose domains are Postfix's default; that of relay_domains is mydestination, or nothing."""
    if not configuration.is_given("mydestination"):
        yield Kind.LOCAL
        if not configuration.is_given("relay_domains"):
            yield Kind.RELAY


def _known(configuration: Configuration, name: str, default: bytes) -> bytes:
    return _or_default(configuration, name, lambda name: _bytes(configuration.text(name)), default)


def _words(configuration: Configuration, name: str) -> tuple[Word, ...]:
    return _or_default(configuration, name, configuration.words, ())


def _or_default(configuration: Configuration, name: str, read: Callable[[str], _Read], default: _Read) -> _Read:
    """What is read of a parameter; where its default hangs on our name, and that is not set, default."""
    try:
        return read(name)
    except AskedWrongly:
        if configuration.is_given(name):
            raise
        return default


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
