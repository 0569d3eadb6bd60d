"""relay-level, ip-relay-..., rdns-relay-..., filter-level -> who may relay, who is filtered. Never opens a relay."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from . import keys
from .conf import Conf, Setting, entries
from .item import NO_ENTRY, Item, Kind, passed, said, unsaid

_SHORTEST = 8
_BLOCKED = "relay-level=block-all stands above it: nobody relays"
_OPEN = "it would make an open relay"
RELAYS = ("ip-relay", "rdns-relay")
_OPTIONS = tuple(f"{option}-{how}" for option in RELAYS for how in ("entry", "file"))


def is_blocked(conf: Conf) -> bool:
    """Whether nobody may relay, whoever it is."""
    level = conf.last("relay-level")
    return level is not None and level.value == "block-all"


def relaying(conf: Conf) -> Iterator[Item]:
    """Say who may relay: mynetworks, rules about names, and the list that is asked first."""
    level = conf.last("relay-level")
    permits = "permit_mynetworks, permit_sasl_authenticated, "
    if level and level.value == "allow-all":
        yield unsaid(level, _OPEN, "name those who may relay: ip-relay-entry, or rules with RELAYCLIENT")
    elif level and level.value == "normal":
        yield passed(level, "so it is without it")
    blocked = is_blocked(conf)
    yield Item(
        Kind.PARAMETER,
        (level,) if level and blocked else (),
        (f"smtpd_relay_restrictions = {'' if blocked else permits}reject_unauth_destination",),
    )
    if blocked:
        yield Item(Kind.PARAMETER, (), ("mynetworks =",))
        yield from (passed(one, _BLOCKED) for one in conf.all(*_OPTIONS))
    else:
        yield from _networks(conf)
        yield from _names(conf)


def _unread(setting: Setting) -> Item:
    return unsaid(setting, "the file cannot be read", "import as a user who may read it; nobody relays by it now")


def _networks(conf: Conf) -> Iterator[Item]:
    settings: list[Setting] = []
    lines: list[str] = []
    for setting, found in entries(conf, "ip-relay"):
        if found is None:
            yield _unread(setting)
            continue
        settings.append(setting)
        for entry in found:
            networks, why = keys.networks(entry.text)
            odd = setting._replace(place=entry.place, written=entry.text)
            if any(one.prefixlen < _SHORTEST for one in networks):
                yield unsaid(odd, _OPEN, "name the networks of your own")
            elif why:
                yield unsaid(odd, why, "write what you mean into mynetworks, or into the rules")
            else:
                place = [] if entry.place == setting.place else [f"# {entry}"]
                lines += [*place, *map(_network, networks)]
    yield Item(Kind.PARAMETER, tuple(settings), ("mynetworks =", *lines))


def _network(network: IPv4Network) -> str:
    return f"    {network.network_address}" if network.prefixlen == network.max_prefixlen else f"    {network}"


def _names(conf: Conf) -> Iterator[Item]:
    settings: list[Setting] = []
    lines: list[str] = []
    for setting, found in entries(conf, "rdns-relay"):
        if found is None:
            yield _unread(setting)
            continue
        settings.append(setting)
        for entry in found:
            names = keys.of_name(entry.text, False)
            if names.why or "." not in entry.text.strip("."):
                odd = setting._replace(place=entry.place, written=entry.text)
                yield unsaid(odd, names.why or _OPEN, "name the hosts of your own")
            lines += [f'={name}:allow,RELAYCLIENT=""' for name in names.keys if "." in entry.text.strip(".")]
    if not lines:
        yield from (passed(one, NO_ENTRY) for one in settings)
    else:
        note = "write these before the last rule, and let pytcpserver believe only names that lead back (-p)"
        yield Item(Kind.RULE, tuple(settings), tuple(lines), note)
        yield Item(Kind.SERVER, tuple(settings), ("-p",))


def level(conf: Conf) -> Iterator[Item]:
    """Say filter-level: what stands before all filters."""
    setting = conf.last("filter-level")
    if not setting:
        return
    if setting.value == "reject-all":
        yield said(Kind.RESTRICTION, setting, "    reject")
    elif setting.value == "require-auth":
        yield said(Kind.RESTRICTION, setting, "    permit_sasl_authenticated", "    reject")
    elif setting.value == "normal":
        yield passed(setting, "so it is without it")
    elif setting.value == "allow-all":
        yield unsaid(
            setting,
            "it lets everybody past all filters, and the filters are here",
            "leave out smtpd_recipient_restrictions, if you mean it",
        )
