"""examples/greylist: two zones and a greylist in one service, as it stands but for its paths and a shorter delay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.field import FieldHost, greylisting
from tests.support.programs import need_root
from tests.support.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples/greylist"

LISTED = {
    f"{front}.{zone} {kind}": [says]
    for front, zone in (("3.0.0.127", "zen.spamhaus.org"), ("4.0.0.127", "bl.spamcop.net"))
    for kind, says in (("A", "127.0.0.2"), ("TXT", f"Listed by {zone}"))
}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FieldHost]:
    """A mail host with the example running on it."""
    need_root()
    with nameserver.running(LISTED, tmp_path) as dns, greylisting(EXAMPLE, dns) as made:
        yield made


def test_zones_first_then_the_greylist(host: FieldHost) -> None:
    """Who is listed anywhere hears of that; who comes for the first time has to come again; who may relay never."""
    assert host.answer("127.0.0.3", "you@ours.example") == (451, b"Listed by zen.spamhaus.org")
    assert host.answer("127.0.0.4", "you@ours.example") == (451, b"Listed by bl.spamcop.net")
    assert host.answer("127.0.0.1", "friend@elsewhere.example")[0] == 250
    first = host.answer("127.0.0.2", "you@ours.example")
    assert first[0] == 451
    assert first[1].startswith(b"Greylisted, try again in 1 second")
    until(lambda: host.answer("127.0.0.2", "you@ours.example")[0] == 250, "the second visit to be let in")
