"""Debian's postgrey and ours read the same whitelists: each entry lets in the same clients and recipients."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.postgrey import Postgrey
from ucspi_py.core.greylist.whitelist.clients import client_list, has_address, has_name
from ucspi_py.core.greylist.whitelist.lines import Expression, Source
from ucspi_py.core.greylist.whitelist.recipients import has_recipient, recipient_list

#: So many times postgrey reads its files anew, each with one entry.
ENTRIES = 150
#: So many clients come then, and recipients.
TEXTS = 10

_WORDS = ("mx", "MX1", "a", "b", "ab", "example", "com", "x-y", "17", "7", "_")
_ATOMS = (
    r"\d",
    r"\w",
    r"\S",
    ".",
    "a",
    "B",
    "[ab]",
    "[^a.]",
    "[a-m]",
    "[0-9]",
    "mx",
    r"\.",
    r"\-",
    "(?:a|mx)",
    "(a|b)",
)
_REPEATS = ("", "", "", "+", "*", "?", "*?", "+?", "{2}", "{1,2}", "{1,}")
_ADDRESSES = (
    "10.1.2.3",
    "10.1.2.130",
    "10.1.3.3",
    "10.2.2.3",
    "11.1.2.3",
    "2001:db8::1",
    "2001:db8:0:1::1",
    "2001:db9::1",
)
_NETWORKS = ("10.1.2.3", "10.1.2", "10.1.2.3/25", "10.1.2.200/9", "10.0.0.0/7", "2001:DB8::/64", "2001:db8::9/31")
_BEHIND = ("", "", "#x", " # x", "\t", "\r")
#: Of a client that no entry is about, and of a recipient.
_NOBODY = ("192.0.2.1", "-")


def test_entries_by_chance(tmp_path: Path) -> None:
    """Names, networks, addresses, domains and expressions, with blanks and comments behind them."""
    draw, seen = random.Random(17), list[bool]()
    clients, recipients = tmp_path / "clients", tmp_path / "recipients"
    clients.touch()
    recipients.touch()
    with Postgrey(f"--whitelist-clients={clients}", f"--whitelist-recipients={recipients}") as peer:
        for number in range(1, ENTRIES + 1):
            texts = _client_entry(draw), _recipient_entry(draw)
            clients.write_text(texts[0])
            recipients.write_text(texts[1])
            peer.reload(number)
            for who in _asked(draw):
                theirs = _is_let_in(peer, *who)
                assert (*texts, who, theirs) == (*texts, who, _is_ours(*texts, *who))
                seen.append(theirs)

    assert min(seen.count(True), seen.count(False)) > ENTRIES


def _is_let_in(peer: Postgrey, ip: str, name: str, recipient: str) -> bool:
    about = {"client_address": ip, "client_name": name, "sender": "s", "recipient": recipient}
    return peer.ask(about) == "DUNNO"


def _is_ours(clients: str, recipients: str, ip: str, name: str, recipient: str) -> bool:
    client = client_list([Source("clients", clients.encode())])
    to = recipient_list([Source("recipients", recipients.encode())])
    assert client.flaws == to.flaws == ()
    by_client = has_name(client, name.encode(), _never) or has_address(client, ip.encode())
    return by_client or has_recipient(to, recipient.encode(), _never)


def _never(expression: Expression) -> None:
    raise AssertionError(expression)


def _asked(draw: random.Random) -> Iterator[tuple[str, str, str]]:
    """Clients and recipients of many kinds, one beside nobody of the other."""
    for _ in range(TEXTS):
        yield draw.choice(_ADDRESSES), _NOBODY[1], _NOBODY[1]
        yield _NOBODY[0], _name(draw, 4), _NOBODY[1]
        yield *_NOBODY, _address(draw)


def _client_entry(draw: random.Random) -> str:
    kind = draw.randrange(4)
    entry = _expression(draw) if kind < 2 else draw.choice(_NETWORKS) if kind == 2 else _name(draw, 2)
    return f"{entry}{draw.choice(_BEHIND)}\n"


def _recipient_entry(draw: random.Random) -> str:
    user = _local(draw)
    entry = draw.choice((_expression(draw), f"{user}@", f"{user}@{_name(draw, 2)}", _name(draw, 2)))
    return f"{entry}{draw.choice(_BEHIND)}\n"


def _expression(draw: random.Random) -> str:
    atoms = "".join(draw.choice(_ATOMS) + draw.choice(_REPEATS) for _ in range(draw.randint(1, 4)))
    return f"/{draw.choice(('', '^'))}{atoms}{draw.choice(('', '$', '@'))}/"


def _name(draw: random.Random, most: int) -> str:
    return ".".join(_some(draw, _WORDS, most))


def _address(draw: random.Random) -> str:
    return draw.choice(
        (f"{_local(draw)}@{_name(draw, 3)}", _local(draw), f"{_local(draw)}@{_local(draw)}@{_name(draw, 2)}")
    )


def _local(draw: random.Random) -> str:
    return "+".join(_some(draw, (*_WORDS[:4], "", "a.b"), 3))


def _some(draw: random.Random, words: Sequence[str], most: int) -> list[str]:
    return [draw.choice(words) for _ in range(draw.randint(1, most))]
