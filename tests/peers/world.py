"""A world by chance: who there is, what name servers say of it, and how addresses are read. A Postfix has one."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.support.nameserver import Records, healthy

from .tables import Tables

#: Clients: with a name; without one; with one that leads elsewhere; in mynetworks; whose name servers fail; with a name
#: without address; Postfix's own.
CLIENTS = tuple(f"127.0.0.{last}" for last in (11, 12, 13, 14, 15, 16, 1))
INSIDE = "127.0.0.14"
_FAILING = ("fails.example", "mx.failing.example", "15.0.0.127.in-addr.arpa", "*.sick.example")
DNS: Records = {
    "11.0.0.127.in-addr.arpa PTR": ["mx.far.example."],
    "13.0.0.127.in-addr.arpa PTR": ["forged.far.example."],
    "14.0.0.127.in-addr.arpa PTR": ["inside.example.org."],
    "16.0.0.127.in-addr.arpa PTR": ["lost.far.example."],
    "1.0.0.127.in-addr.arpa PTR": ["localhost."],
    "localhost A": ["127.0.0.1"],
    "forged.far.example A": ["192.0.2.13"],
    "inside.example.org A": ["127.0.0.14"],
    "mx.far.example A": ["127.0.0.11"],
    "far.example MX": ["10 mx.far.example."],
    "far.example NS": ["ns.far.example."],
    "sub.far.example MX": ["10 mx.nowhere.example.", "20 mx.far.example."],
    "ns.far.example A": ["192.0.2.53"],
    "a-only.example A": ["192.0.2.11"],
    "null.example MX": ["0 ."],
    "broken.example MX": ["10 mx.nowhere.example."],
    "literal.example MX": ["10 192.0.2.11."],
    "failing.example MX": ["10 mx.failing.example."],
    "loop.example MX": ["10 mx.example.org."],
    "mx.example.org A": ["127.0.0.1"],
    "many.example MX": ["10 mx.failing.example.", "20 mx.nowhere.example.", "30 ours-mx.example."],
    "ours-mx.example A": ["192.0.2.11"],
    "many.example NS": ["ns.nowhere.example.", "ns.far.example."],
    "a_b.example A": ["192.0.2.1"],
    **{f"{name} {kind}": "servfail" for name in _FAILING for kind in ("A", "AAAA", "MX", "NS", "PTR", "TXT")},
    "11.0.0.127.bl.example A": ["127.0.0.4"],
    "11.0.0.127.bl.example TXT": ["listed, see http://x.example/"],
    "12.0.0.127.bl.example A": ["127.0.0.2"],
    "13.0.0.127.bl.example A": ["127.0.0.3", "127.0.0.10"],
    "13.0.0.127.bl.example TXT": ["$client at 100%"],
    "16.0.0.127.bl.example A": ["127.0.0.7"],
    "11.0.0.127.wl.example A": ["127.0.0.2"],
    "16.0.0.127.wl.example A": ["127.0.0.9"],
    "far.example.dbl.example A": ["127.0.1.2"],
    "far.example.dbl.example TXT": ["bad domain"],
    "mx.far.example.dbl.example A": ["127.0.1.4"],
    "other.example.dbl.example A": ["127.0.1.3"],
    **healthy("bl.example", "wl.example"),
}
LEVELS = ("", "0", "1", "2", "3.6")
_OLD = LEVELS[:3]
_UNKNOWN = "show_user_unknown_table_name"
_BELOW = "smtpd_access_maps,relay_domains"


class World(NamedTuple):
    """One of them.

    level: its compatibility_level, "" = not set. main: lines of main.cf. hosts: whom mail is taken for, as rcpthosts
    has it. rcpthosts: what stands there; main.cf is enough.
    """

    level: str
    main: str
    hosts: Sequence[str]
    rcpthosts: Sequence[str]


def world(draw: random.Random, tables: Tables, level: str) -> World:
    """Make one, with tables of who there is."""
    below = draw.choice([_BELOW, _BELOW, "smtpd_access_maps", "relay_domains", ""])
    relayed = draw.random() < 0.8
    lines = {
        "smtpd_peername_lookup": "yes",
        "mynetworks": INSIDE,
        "parent_domain_matches_subdomains": below,
        "mydestination": _domains(draw, tables, "$myhostname", "ours.example"),
        **({"relay_domains": _domains(draw, tables, "relayed.example")} if relayed else {}),
        **_habits(draw),
        **_users(draw, tables),
    }
    hosts = ["mx.example.org", "ours.example", "virtual.example", "alias.example"]
    # relay_domains is mydestination below level 2, and patterns know whole names only.
    below_ours = ["mx.example.org", *_covering(lines["mydestination"], "ours.example")] if level in _OLD else []
    hosts += ["relayed.example"] if relayed else []
    covering = _covering(lines["relay_domains"], "relayed.example") if relayed else below_ours
    hosts += [f".{host}" for host in covering] if "relay_domains" in below else []
    main = "".join(f"{name} = {value}\n" for name, value in lines.items())
    return World(level, main, hosts, draw.choice([hosts, ["nothing.example"]]))


def _covering(words: str, name: str) -> list[str]:
    return [] if any(kind in words for kind in ("regexp:", "pcre:")) else [name]


def _domains(draw: random.Random, tables: Tables, *names: str) -> str:
    """A list of domains, some of them in a table."""
    excluded = draw.choice(["", "", "", "!no.ours.example, !no.relayed.example, "])
    plain = [name for name in names if name.startswith("$")]
    others = [name for name in names if not name.startswith("$")]
    if draw.random() < 0.6:
        return excluded + ", ".join([*plain, *others])
    return excluded + ", ".join([*plain, tables.users(draw, others)])


def _habits(draw: random.Random) -> dict[str, str]:
    """How addresses are read."""
    found = {"recipient_delimiter": draw.choice(["", "+", "+", "+-", "-"])}
    for name in ("swap_bangpath", "allow_percent_hack", "allow_untrusted_routing", "owner_request_special", _UNKNOWN):
        if draw.random() < 0.2:
            found[name] = draw.choice(["yes", "no"])
    if draw.random() < 0.2:
        found["append_dot_mydomain"] = draw.choice(["yes", "no"])
    if draw.random() < 0.2:
        found["myorigin"] = draw.choice(["ours.example", "other.example", "$mydomain"])
    return found


def _users(draw: random.Random, tables: Tables) -> dict[str, str]:
    """Who there is, in each kind of domain."""
    locals_ = draw.choice([["u@ours.example", "ext@ours.example"], ["u", "ext"], ["u@", "@mx.example.org", "ext+x"]])
    found = {
        "local_recipient_maps": draw.choice(["", tables.users(draw, locals_), tables.users(draw, locals_)]),
        "relay_recipient_maps": draw.choice(["", tables.users(draw, ["u@relayed.example", "@sub.relayed.example"])]),
    }
    mailboxes = ["u@virtual.example", draw.choice(["ext@virtual.example", "@x"])]
    aliases = ["u@alias.example", "moved@ours.example"]
    found |= _virtual(draw, tables, "mailbox", mailboxes) | _virtual(draw, tables, "alias", aliases)
    for name in ("canonical_maps", "recipient_canonical_maps", "sender_canonical_maps"):
        if draw.random() < 0.15:
            found[name] = tables.users(draw, ["canon@ours.example", "old@relayed.example"], "u@ours.example")
    return found


def _virtual(draw: random.Random, tables: Tables, kind: str, users: Sequence[str]) -> dict[str, str]:
    """A kind of domains with users of their own; their name is in the table of these, or in a parameter."""
    domain = "alias.example" if kind == "alias" else "virtual.example"
    names = users if draw.random() < 0.7 else [domain, *users]
    table = {f"virtual_{kind}_maps": tables.users(draw, names, "u@ours.example")}
    return table if domain in names else table | {f"virtual_{kind}_domains": _domains(draw, tables, domain)}
