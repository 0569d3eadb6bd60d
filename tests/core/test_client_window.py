"""Events of a client within a period, as anvil counts them."""

from ucspi_py.core.client.window import Event, Window, note, place

PERIOD = 60
FREE = Window(0, 0)


def counts(client: int, *events: tuple[Event, int], window: Window = FREE) -> list[int]:
    """What each event is counted as. events: with their second."""
    found = []
    for event, now in events:
        window, count = note(window, client, event, now, PERIOD)
        found.append(count)
    return found


def test_each_kind_is_counted_by_itself() -> None:
    """In one period of the client."""
    events = [(Event.CONNECTION, 7), (Event.MESSAGE, 8), (Event.RECIPIENT, 8), (Event.RECIPIENT, 9), (Event.MESSAGE, 9)]

    assert counts(1, *events) == [1, 1, 1, 2, 2]


def test_a_period_begins_with_the_first_event_of_any_kind() -> None:
    """Its last second belongs to it; what was counted in it is forgotten then, all of it."""
    connect, mail = Event.CONNECTION, Event.MESSAGE

    assert counts(1, (connect, 100), (mail, 159), (mail, 160), (mail, 161), (connect, 161)) == [1, 1, 2, 1, 1]


def test_who_was_over_the_limit_is_let_in_again() -> None:
    """However many events there were: what is refused is not carried over."""
    many = [(Event.MESSAGE, 100)] * 500

    assert counts(1, *many, (Event.MESSAGE, 161))[-2:] == [500, 1]


def test_another_client_is_forgotten() -> None:
    """Its counts are not the new one's."""
    assert counts(2, (Event.MESSAGE, 100), window=Window(1, 100, 5, 5, 5)) == [1]


def test_counts_stay_in_their_field() -> None:
    """Four bytes."""
    assert counts(1, (Event.MESSAGE, 100), window=Window(1, 100, 0, 2**32 - 1, 0)) == [2**32 - 1]


def test_a_client_keeps_its_place() -> None:
    """Also one whose period is over."""
    assert place([Window(1, 5), Window(2, 5, 9)], 2, 1000, PERIOD) == 1


def test_what_is_over_is_forgotten_first() -> None:
    """Then who does least, then who came first."""
    busy, rare, over = Window(1, 100, 1, 1, 1), Window(2, 101, 1), Window(3, 39, 9, 9, 9)

    assert place([busy, rare, over, rare], 9, 100, PERIOD) == 2
    assert place([busy, rare, busy], 9, 100, PERIOD) == 1
    assert place([Window(4, 99, 1), Window(5, 98, 1)], 9, 100, PERIOD) == 1
    assert place([busy, FREE], 9, 100, PERIOD) == 1
