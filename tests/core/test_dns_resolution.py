"""Whom a question is put to, turn after turn, and which servers are well."""

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns.resolution import PROBES, Next, Resolution, Standings

SERVERS = ["one", "two", "three"]

standings = st.builds(
    lambda number, well: Standings(SERVERS[:number], [name for name in well if name in SERVERS[:number]]),
    st.integers(1, 3),
    st.sets(st.sampled_from(SERVERS)),
)


def begun(known: Standings[str]) -> Resolution[str]:
    """A question that is about to be asked."""
    resolution: Resolution[str] = Resolution()
    resolution.begin(known.plan)
    return resolution


def turns(known: Standings[str], number: int) -> list[tuple[tuple[str, ...], float]]:
    """Who is asked in so many turns, and at which second, where nobody answers."""
    resolution, now, found = begun(known), 0.0, []
    for _ in range(number):
        found.append((tuple(resolution.next_turn(known.plan, now)), now))
        now = resolution.due
    return found


def test_one_server_is_asked_again_and_again() -> None:
    """First after half a second: one lost packet is no reason to let anybody in."""
    seconds = [at for _, at in turns(Standings(["one"], ["one"]), 8)]

    assert seconds == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5]


def test_the_next_server_has_its_turn_after_half_a_second() -> None:
    """In the order in which they are written, round after round."""
    assert turns(Standings(SERVERS, SERVERS), 5) == [
        (("one",), 0.0),
        (("two",), 0.5),
        (("three",), 1.0),
        (("one",), 1.5),
        (("two",), 2.5),
    ]


def test_a_silent_server_keeps_nobody_waiting() -> None:
    """It is asked last, and beside one that is well: the repeat to that one comes no later."""
    known = Standings(SERVERS, SERVERS)
    known.missed("one")

    assert turns(known, 3) == [(("two",), 0.0), (("three",), 0.5), (("one", "two"), 1.0)]


def test_where_nobody_is_known_to_be_well_all_are_asked_at_once() -> None:
    """At the start, and when all are silent: whoever is there answers first."""
    assert turns(Standings(SERVERS), 2) == [(("one", "two", "three"), 0.0), (("one", "two", "three"), 0.5)]


@given(standings)
def test_every_server_is_asked_in_every_round(known: Standings[str]) -> None:
    """Once each."""
    plan = known.plan
    everybody = sorted({server for turn in plan.later for server in turn})

    assert sorted(server for turn in plan.later for server in turn) == everybody
    assert {server for turn in (*plan.first, *plan.later) for server in turn} == set(everybody)


@given(standings)
def test_no_turn_of_the_first_two_rounds_is_more_than_a_second_away(known: Standings[str]) -> None:
    """Whoever is well or not."""
    resolution = begun(known)
    for _ in (*known.plan.first, *known.plan.later):
        resolution.next_turn(known.plan, 100.0)
        assert 100.5 <= resolution.due <= 101.0


@given(standings)
def test_it_is_over_once_everybody_has_failed_and_no_sooner(known: Standings[str]) -> None:
    """At once, without waiting for a deadline."""
    resolution = begun(known)
    asked: list[str] = []
    said = Next.ASK
    while said is Next.ASK:
        fresh = resolution.next_turn(known.plan, 0.0)
        asked += fresh
        said = [resolution.failed(server) for server in fresh][-1]

    assert said is Next.OVER
    assert set(asked) == {server for turn in known.plan.later for server in turn}


def test_who_is_silent_is_waited_for_though_another_has_failed() -> None:
    """The deadline ends that; nobody is let in because one of two servers does not know."""
    known = Standings(["one", "two"], ["one", "two"])
    resolution = begun(known)
    resolution.next_turn(known.plan, 0.0)
    resolution.next_turn(known.plan, 0.5)

    assert resolution.failed("two") is Next.WAIT
    assert resolution.failed("one") is Next.OVER


def test_a_late_failure_hurries_nobody() -> None:
    """The turn of the next server goes on; the one after it is asked when that is over."""
    known = Standings(SERVERS, SERVERS)
    resolution = begun(known)
    resolution.next_turn(known.plan, 0.0)
    resolution.next_turn(known.plan, 0.5)

    assert resolution.failed("one") is Next.WAIT
    assert resolution.failed("two") is Next.ASK


def test_a_question_that_begins_again_has_all_its_time_before_it() -> None:
    """Who joins a question that has been out for long waits half a second for its repeat, and not eight."""
    known = Standings(["one"], ["one"])
    resolution = begun(known)
    for _ in range(5):
        resolution.next_turn(known.plan, 0.0)

    resolution.begin(known.plan)
    resolution.next_turn(known.plan, 100.0)

    assert resolution.due == 100.5


def test_a_server_is_well_as_soon_as_it_answers() -> None:
    """And then first again, where it is written first."""
    known = Standings(["one", "two"], ["two"])
    assert list(known.plan.first) == [("two",)]

    known.answered("one")

    assert list(known.plan.first) == [("one",), ("two",)]
    assert known.to_probe(1000.0) == ()


def test_silent_servers_are_probed_once_a_second() -> None:
    """By a question that has another to answer it."""
    known = Standings(SERVERS, ["two"])

    assert known.to_probe(1000.0) == ("one", "three")
    assert known.to_probe(1000.0 + PROBES / 2) == ()
    assert known.to_probe(1000.0 + PROBES) == ("one", "three")


def test_where_all_are_silent_every_question_is_a_probe() -> None:
    """And none is needed beside it."""
    known = Standings(SERVERS, ["two"])
    known.missed("two")

    assert known.to_probe(1000.0) == ()
    assert not known.any_well


def test_a_server_that_is_named_no_more_does_not_come_back() -> None:
    """A late answer of one that has left the list."""
    known = Standings(["one"])

    known.answered("gone")

    assert list(known.plan.first) == [("one",)]
    assert not known.is_well("gone")
