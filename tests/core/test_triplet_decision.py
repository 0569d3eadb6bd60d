"""How long a triplet waits, and which clients need not, by tables."""

import pytest

from ucspi_py.core.greylist.attempt import Deferred, Passed, Verdict
from ucspi_py.core.greylist.triplet.decision import Client, Triplet, client_expiry, counted, decide, expiry, is_listed
from ucspi_py.core.greylist.triplet.settings import TripletSettings

NOW = 1_800_000_000
DAY, HOUR = 86_400, 3600
AGE, PART = 35 * DAY, 35 * DAY // 100
WINDOW = 2 * DAY
SETTINGS = TripletSettings("db")
NEW = (Deferred(300, True), Triplet(NOW, NOW))


def known(last: int) -> tuple[Verdict, Triplet]:
    """What becomes of a triplet that has passed long ago. last: what is remembered as the last time."""
    return Passed(b"triplet found"), Triplet(1, last, 300)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(None, NEW, id="first attempt"),
        pytest.param(Triplet(NOW, NOW), NEW, id="again in the same second"),
        pytest.param(
            Triplet(NOW - 299, NOW - 299), (Deferred(1, False), Triplet(NOW - 299, NOW - 299)), id="early, no write"
        ),
        pytest.param(
            Triplet(NOW - 300, NOW - 300),
            (Passed(b"triplet found", 300), Triplet(NOW - 300, NOW, 300)),
            id="on time, with a header",
        ),
        pytest.param(
            Triplet(NOW - WINDOW, NOW - WINDOW),
            (Passed(b"triplet found", WINDOW), Triplet(NOW - WINDOW, NOW, WINDOW)),
            id="in the last second",
        ),
        pytest.param(Triplet(NOW - WINDOW - 1, NOW - WINDOW - 1), NEW, id="a second too late"),
        pytest.param(Triplet(1, NOW - 1, 300), known(NOW - 1), id="known, not worth a write"),
        pytest.param(Triplet(1, NOW - PART, 300), known(NOW - PART), id="a hundredth, no write"),
        pytest.param(Triplet(1, NOW - PART - 1, 300), known(NOW), id="a second more, renewed"),
        pytest.param(Triplet(1, NOW - AGE - PART, 300), known(NOW), id="in the last second of its memory"),
        pytest.param(Triplet(1, NOW - AGE - PART - 1, 300), NEW, id="forgotten"),
        pytest.param(Triplet(NOW + 1, NOW + 1), NEW, id="first attempt in the future"),
        pytest.param(Triplet(NOW + 1, NOW + 999, 300), NEW, id="all of it in the future"),
        pytest.param(Triplet(1, NOW + 9**9, 300), known(NOW + 9**9), id="let in in the future"),
        pytest.param(
            Triplet(NOW - 299, NOW + 1, 300), (Deferred(1, False), Triplet(NOW - 299, NOW)), id="stepped back before it"
        ),
        pytest.param(
            Triplet(NOW - 300, NOW + 1, 300),
            (Passed(b"triplet found"), Triplet(NOW - 300, NOW + 1, 300)),
            id="stepped back to the end of its delay",
        ),
    ],
)
def test_an_attempt(record: Triplet | None, expected: tuple[Verdict, Triplet]) -> None:
    """Deferred for the delay, then let in within the window, then known."""
    assert decide(record, NOW, SETTINGS) == expected


def test_without_a_delay_everybody_is_let_in_at_once() -> None:
    """The first attempt has waited for no second, the next one is known."""
    settings = TripletSettings("db", delay=0)

    verdict, record = decide(None, NOW, settings)

    assert verdict == Passed(b"triplet found", 0)
    assert decide(record, NOW + 1, settings)[0] == Passed(b"triplet found")


def test_a_longer_delay_holds_for_those_who_have_waited_less() -> None:
    """A triplet that has passed after a minute waits anew, as in postgrey."""
    record = Triplet(NOW - 60, NOW, 60)

    assert decide(record, NOW, SETTINGS)[0] == Deferred(240, False)


@pytest.mark.parametrize(
    ("record", "seconds"),
    [
        pytest.param(Triplet(NOW, NOW), WINDOW + WINDOW // 100, id="waits"),
        pytest.param(Triplet(NOW - 300, NOW, 300), AGE + PART, id="was let in"),
    ],
)
def test_a_triplet_is_kept_longer_than_it_counts(record: Triplet, seconds: int) -> None:
    """By as much as may not have been written, or as clocks may differ."""
    assert expiry(record, SETTINGS) == NOW + seconds


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(None, (False, None), id="never passed"),
        pytest.param(Client(4, NOW - HOUR), (False, Client(4, NOW - HOUR)), id="not often enough"),
        pytest.param(Client(5, NOW - HOUR + 1), (True, Client(5, NOW - HOUR + 1)), id="enough"),
        pytest.param(Client(5, NOW - HOUR), (True, Client(6, NOW)), id="renewed after an hour"),
        pytest.param(Client(5, NOW), (True, Client(5, NOW)), id="in the same second"),
        pytest.param(Client(5, NOW + 1), (True, Client(6, NOW)), id="renewed in the future"),
        pytest.param(Client(99, NOW - AGE), (True, Client(100, NOW)), id="in the last second"),
        pytest.param(Client(99, NOW - AGE - 1), (False, Client(99, NOW - AGE - 1)), id="expired"),
    ],
)
def test_a_client_with_enough_passes_waits_no_more(record: Client | None, expected: tuple[bool, Client | None]) -> None:
    """From five on."""
    assert is_listed(record, NOW, SETTINGS) == expected


def test_no_number_of_passes_is_enough_where_it_is_0() -> None:
    """They are counted only."""
    record = Client(99, NOW)

    assert is_listed(record, NOW, TripletSettings("db", auto_whitelist_clients=0)) == (False, record)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(None, Client(1, NOW), id="the first"),
        pytest.param(Client(1, NOW - HOUR + 1), Client(1, NOW - HOUR + 1), id="within an hour"),
        pytest.param(Client(1, NOW - HOUR), Client(2, NOW), id="an hour later"),
        pytest.param(Client(1, NOW + 1), Client(1, NOW + 1), id="in the future"),
        pytest.param(Client(4, NOW - AGE), Client(5, NOW), id="in the last second"),
        pytest.param(Client(4, NOW - AGE - 1), Client(1, NOW), id="forgotten"),
    ],
)
def test_passes_count_an_hour_apart(record: Client | None, expected: Client) -> None:
    """One of each hour."""
    assert counted(record, NOW, SETTINGS) == expected
    assert client_expiry(expected, AGE) == expected.last + AGE
