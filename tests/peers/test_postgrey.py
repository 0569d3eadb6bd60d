"""Debian's postgrey and pypostgrey side by side: the same requests at the same times, the same answers."""

import ipaddress
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.postgrey import Postgrey
from ucspi_py.core.client.limits import NETWORK, Prefixes
from ucspi_py.core.greylist.attempt import Attempt

from . import attempts
from .attempts import Request
from .greylisters import options, our_answers, postgrey_answers, settings, whitelists

#: Those that Debian's postgrey comes with.
_DEBIANS = ("/etc/postgrey/whitelist_clients", "/etc/postgrey/whitelist_recipients")
#: What stands in their expressions, and what it may stand for.
_SIGNS = ((r"\(\?:(.*?)\|.*?\)", r"\1"), (r"\.[*+]\??|\\[dw][+*]|\[.*?\]\+?", "1"), (r"\\", ""))
_BY_HOST = Prefixes(32, 128)


@pytest.mark.parametrize(
    ("number", "network", "enough", "more"),
    [
        pytest.param(5000, NETWORK, 5, (), id="as it is"),
        pytest.param(500, _BY_HOST, 2, ("--lookup-by-host", "--auto-whitelist-clients=2"), id="by host"),
        pytest.param(
            500,
            Prefixes(16, 48),
            0,
            ("--ipv4cidr=16", "--ipv6cidr=48", "--auto-whitelist-clients=0"),
            id="large networks",
        ),
    ],
)
def test_requests_by_chance(number: int, network: Prefixes, enough: int, more: Sequence[str], tmp_path: Path) -> None:
    """Actions with all their numbers, their reasons, and how many clients wait no more."""
    requests, files = list(attempts.requests(random.Random(number), number)), whitelists(tmp_path)
    with Postgrey(*options(*files, *more)) as peer:
        theirs = postgrey_answers(peer, requests)

    ours = our_answers(settings(tmp_path / "db", *files, network, enough), requests)

    assert [one for one in zip(requests, theirs.actions, ours.actions, strict=True) if one[1] != one[2]] == []
    assert ours.listed == theirs.listed
    assert (theirs.listed > 0) == (enough > 0)
    assert {re.sub(r"\d+", "N", reason) for _, reason in theirs.actions} >= {
        "greylist, reason=new",
        "greylist, reason=early-retry (Ns missing)",
        "pass, reason=triplet found, delay=N",
        "pass, reason=triplet found",
        "pass, reason=client whitelist",
        "pass, reason=recipient whitelist",
        *(("pass, reason=client AWL",) if enough else ()),
    }


def test_the_whitelists_of_debian(tmp_path: Path) -> None:
    """Each name and address in them, and what differs from it by a sign at an end."""
    requests = [Request(1_700_000_000, attempt) for attempt in _beside_their_entries()]
    with Postgrey(*options(*_DEBIANS)) as peer:
        theirs = postgrey_answers(peer, requests)

    ours = our_answers(settings(tmp_path / "db", *_DEBIANS), requests)

    assert [one for one in zip(requests, theirs.actions, ours.actions, strict=True) if one[1] != one[2]] == []
    assert sum("client whitelist" in reason for _, reason in theirs.actions) > 300
    assert sum("reason=new" in reason for _, reason in theirs.actions) > 300


def _beside_their_entries() -> Iterator[Attempt]:
    """Expressions are taken for a name that they find, of a network without an end only that is written."""
    lines = (line.partition("#")[0].strip() for line in Path(_DEBIANS[0]).read_text(encoding="utf-8").splitlines())
    for number, entry in enumerate(line for line in lines if line):
        word = entry.strip("/^$")
        for sign, what in _SIGNS:
            word = re.sub(sign, what, word)
        for text in (word, f"sub.{word}", f"x{word}", f"{word}.x", word.swapcase(), word[:-1]):
            ip, name = (text, "unknown") if _is_address(text) else (f"100.64.{number}.1", text)
            yield Attempt(ip.encode(), name.encode(), b"", b"s@example.com", b"%d@example.org" % number)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False
