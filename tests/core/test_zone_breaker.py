"""Whether a zone is asked and believed, as a table of events; time is a number, and the world outside is none of it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dnsbl import breaker as zone_breaker
from ucspi_py.core.dnsbl.breaker import BREAKING_POINT, Gate, Standing, may_be_asked
from ucspi_py.core.dnsbl.health import Health

WELL, SILENT = Health(), Health("timed out", remark="it cannot be asked: timed out")
LISTS_CONTROL = Health(listed_control="127.8.9.254")
LISTS_ALL = Health(alarm="it lists 127.0.0.1", listed_control="127.8.9.254")

START = 1000.0


class Service:
    """A zone in service: clients come, a worker looks for a due test once a second, and a test shows ``health``."""

    def __init__(self, health: Health = WELL, standing: Standing | None = None) -> None:
        self.health = health
        self.standing = standing or Standing()
        self.asked = self.listed = 0
        self.now = START
        self.tests: list[float] = []
        self.distrusted_at: float | None = None

    def client(self, listed: bool) -> None:
        """A client about whom the zone says something, if it is to be asked at all."""
        if self.standing.distrusted or not may_be_asked(self.standing, self.now):
            return
        usual = zone_breaker.usual_share(self.asked, self.listed)
        self.standing = zone_breaker.answered(self.standing, usual, 1, int(listed), self.now)
        self.asked += 1
        self.listed += listed

    def clients(self, *listed: bool) -> None:
        """Some clients at once."""
        for one in listed:
            self.client(one)

    def failure(self) -> None:
        """A client about whom the zone says nothing."""
        self.standing = zone_breaker.failed(self.standing, self.now)

    def wait(self, seconds: int, each_second: Callable[[], None] = lambda: None) -> None:
        """Let time pass."""
        for _ in range(seconds):
            each_second()
            self.look()
            self.now += 1.0

    def look(self) -> None:
        """Test, if a test is due."""
        claimed = zone_breaker.claimed(self.standing, self.now)
        if claimed:
            self.tests.append(self.now)
            self.standing = zone_breaker.tested(claimed, self.health, 0.5, self.now)
            if self.standing.distrusted and self.distrusted_at is None:
                self.distrusted_at = self.now


def in_service(clients: int = 0, listed: int = 0) -> Service:
    """A zone that has been tested, and has then answered about so many clients over hours."""
    service = Service()
    service.look()
    service.now += 7200
    service.look()
    service.now += 60
    service.asked, service.listed = clients, listed
    service.tests.clear()
    return service


class Event(NamedTuple):
    """One thing that may happen to a zone, after some seconds. health: of a test; else a client's look-up."""

    seconds: float
    listed: bool | None = None
    health: Health | None = None


def after(standing: Standing, now: float, event: Event) -> Standing:
    """How a zone stands after an event."""
    if event.health is not None:
        return examined(standing, event.health, 0.5, now)
    if event.listed is None:
        return zone_breaker.failed(standing, now)
    return zone_breaker.answered(standing, 0.1, 1, int(event.listed), now)


def examined(standing: Standing, health: Health, luck: float = 0.5, now: float = START) -> Standing:
    """How a zone stands after a test of now, due or not."""
    claimed = zone_breaker.claimed(zone_breaker.renewed(standing), now)
    assert claimed
    return zone_breaker.tested(claimed, health, luck, now)


def run(events: Sequence[Event]) -> tuple[Standing, float]:
    """How a zone stands after events, and when that is."""
    standing, now = Standing(), START
    for event in events:
        now += event.seconds
        standing = after(standing, now, event)
    return standing, now


waits = st.floats(0, 100)
clients = st.builds(Event, waits, st.sampled_from([True, True, False, None]), st.none())
honest_tests = st.builds(Event, waits, st.none(), st.sampled_from([WELL, SILENT]))
tests = st.builds(Event, waits, st.none(), st.sampled_from([WELL, SILENT, LISTS_CONTROL, LISTS_ALL]))


@given(st.lists(clients | honest_tests, max_size=60))
def test_no_client_can_have_a_healthy_zone_distrusted(events: list[Event]) -> None:
    """Whoever comes, in whatever order: as long as it lists no control address its listings count."""
    assert not run(events)[0].distrusted


@given(st.lists(clients | tests, max_size=40))
def test_one_good_test_ends_whatever_was_wrong(events: list[Event]) -> None:
    """It is asked and believed from then on, and no failure of before counts any more."""
    standing, now = run(events)

    well = examined(standing, WELL, 0.5, now)

    assert not well.distrusted
    assert may_be_asked(well, now)
    assert not well.back_off
    assert not well.suspicion
    if standing.distrusted or standing.closed_until:
        assert not well.failures


@given(st.lists(clients | tests, max_size=40))
def test_who_is_ill_is_tested_again_within_30_seconds(events: list[Event]) -> None:
    """Or within the 10 seconds that somebody has for a test."""
    standing, now = run(events)

    if standing.distrusted or not may_be_asked(standing, now):
        assert standing.test_at <= now + 30


@given(st.lists(clients | tests, max_size=40), clients)
def test_a_client_never_puts_a_test_off(events: list[Event], client: Event) -> None:
    """It can only come sooner."""
    standing, now = run(events)

    assert after(standing, now + client.seconds, client).test_at <= standing.test_at


@given(st.lists(clients | tests, max_size=40))
def test_silence_does_not_change_whether_it_is_believed(events: list[Event]) -> None:
    """A zone that listed the world and is now dead has not become better, nor one that was well worse."""
    standing, now = run(events)

    assert examined(standing, SILENT, 0.5, now).distrusted == standing.distrusted


@pytest.mark.parametrize("history", [(0, 0), (130, 0), (1000, 100), (10_000, 5000), (10_000, 9000), (10_000, 9900)])
@pytest.mark.parametrize("health", [LISTS_ALL, LISTS_CONTROL])
def test_a_zone_that_begins_to_list_everybody_is_found_within_a_minute(
    history: tuple[int, int], health: Health
) -> None:
    """With one client a second, whatever it has listed so far, and also where it spares 127.0.0.1."""
    service = in_service(*history)
    service.health = health

    service.wait(60, lambda: service.client(listed=True))

    assert service.distrusted_at
    assert service.distrusted_at < START + 7260 + 60


@pytest.mark.parametrize(
    ("history", "clients"), [((1000, 10), 3), ((1000, 100), 3), ((1000, 500), 8), ((1000, 990), 30)]
)
def test_the_rarer_its_listings_the_sooner_it_is_suspected(history: tuple[int, int], clients: int) -> None:
    """After three in a row where it lists few clients, after thirty where it lists nearly all."""
    service = in_service(*history)

    while service.standing.test_at > service.now:
        service.client(listed=True)

    assert service.asked - history[0] <= clients


def test_also_where_some_answers_are_still_from_memory() -> None:
    """Every thirtieth client is clean in a name server's memory."""
    service = in_service(1000, 100)
    service.health = LISTS_ALL
    numbers = iter(range(10_000))

    service.wait(60, lambda: service.clients(*(next(numbers) % 30 != 29 for _ in range(10))))

    assert service.distrusted_at


def test_a_wave_of_listed_clients_has_it_tested_and_believed() -> None:
    """130 clean ones, then 240 listed within seconds: it is needed most then (row 1 of the field)."""
    service = in_service(130, 0)

    service.wait(12, lambda: service.clients(*[True] * 20))

    assert not service.standing.distrusted
    assert service.tests
    assert service.listed == 240


def test_one_listed_client_a_minute_lets_nobody_in() -> None:
    """The same wave, so slow that nobody sees it (row 37 of the field)."""
    service = in_service(130, 0)

    for _ in range(300):
        service.client(listed=True)
        service.wait(60)

    assert service.listed == 300
    assert not service.standing.distrusted


def test_suspicion_costs_few_tests() -> None:
    """With 100 clients a second there is one test in three seconds at most; with few clients, few tests."""
    service = in_service(1000, 10)
    service.wait(60, lambda: service.clients(*[True] * 100))
    assert len(service.tests) <= 21

    service = in_service(10_000, 9000)
    chance = iter(range(100_000))
    for _ in range(2000):
        service.client(listed=next(chance) % 10 != 9)
        service.wait(10)
    assert len(service.tests) <= 2000 / 20


def test_a_zone_that_always_lists_the_control_address_is_believed() -> None:
    """A list of networks that nobody should come from has 127.0.0.0/8 from its first test on."""
    service = Service(LISTS_CONTROL)
    service.wait(4000, lambda: service.client(listed=True))

    assert not service.standing.distrusted


def test_who_listed_everybody_is_believed_only_when_all_controls_are_clean() -> None:
    """127.0.0.1 alone may have been taken out of it."""
    service = Service(LISTS_ALL)
    service.look()
    assert service.standing.distrusted

    service.health = LISTS_CONTROL
    service.wait(120)
    assert service.standing.distrusted

    service.health = WELL
    service.wait(31)
    assert not service.standing.distrusted
    assert service.standing.forget_before > START + 120


@pytest.mark.parametrize("health", [SILENT, LISTS_ALL])
def test_retests_come_after_1_2_4_seconds_and_then_every_30(health: Health) -> None:
    """So that what is over in half a second is over for the clients within two (row 38 of the field)."""
    standing, waits_between = Standing(), []
    for _ in range(8):
        standing = examined(standing, health, 1.0)
        waits_between.append(standing.test_at - START)

    assert waits_between == [1, 2, 4, 8, 16, 30, 30, 30]
    assert examined(standing, health, 0.0).test_at == START + 22.5


def test_a_zone_that_was_away_for_a_moment_is_asked_again_at_once() -> None:
    """Five failures close it, the next look tests it, and what failed meanwhile is asked about again."""
    service = in_service(100, 10)
    for _ in range(BREAKING_POINT):
        assert may_be_asked(service.standing, service.now)
        service.failure()
    assert not may_be_asked(service.standing, service.now)

    service.wait(1)

    assert may_be_asked(service.standing, service.now)
    assert service.standing.answers_since == service.now - 1
    assert service.standing.forget_before == 0.0
    assert service.standing.failures == 0


def test_a_failure_has_the_zone_tested_but_not_more_often_than_every_three_seconds() -> None:
    """Some names of a zone may fail for ever, while the zone is well."""
    service = in_service(100, 10)
    service.failure()
    assert service.standing.test_at == service.now

    service.wait(31, service.failure)

    assert service.tests == [service.tests[0] + 3 * number for number in range(11)]


def test_clients_whose_names_always_fail_do_not_keep_it_closed() -> None:
    """Five of them a second, while the zone answers about all others: it is closed for seconds, and not again soon."""
    service = in_service(1000, 100)
    closed = 0

    def second() -> None:
        nonlocal closed
        for _ in range(BREAKING_POINT):
            service.failure()
        closed += not may_be_asked(service.standing, service.now)

    service.wait(300, second)

    assert 1 <= closed <= 300 / 10


def test_a_zone_that_dies_just_after_a_good_test_is_closed_by_the_next_one() -> None:
    """Within seconds, though its clients alone do not close it then."""
    service = in_service(1000, 100)
    service.standing = service.standing._replace(well_at=service.now)
    service.health = SILENT
    service.failure()
    service.wait(4)

    assert not may_be_asked(service.standing, service.now)


def test_an_answer_begins_a_new_row_of_failures() -> None:
    """Four failures and one answer, again and again, close nothing."""
    service = in_service(100, 10)
    for _ in range(10):
        for _ in range(BREAKING_POINT - 1):
            service.failure()
        service.client(listed=False)

    assert may_be_asked(service.standing, service.now)


def test_failures_that_come_late_do_not_hasten_the_next_test() -> None:
    """They were asked before the last test; it has said how things are."""
    standing = Standing()
    for _ in range(5):
        standing = examined(standing, SILENT, 1.0)

    assert zone_breaker.failed(standing, START + 4).test_at == START + 16


def test_a_silent_zone_is_left_alone_until_after_its_next_test() -> None:
    """Nobody is made to wait for it in between; but if nobody tests it, it is asked again."""
    standing = examined(Standing(), SILENT, 1.0)

    assert not may_be_asked(standing, standing.test_at + 20)
    assert may_be_asked(standing, standing.test_at + 40)


def test_one_worker_tests_and_another_one_takes_it_on_if_it_dies() -> None:
    """Its claim expires after 10 seconds (row 44 of the field)."""
    claimed = zone_breaker.claimed(Standing(), START)

    assert claimed
    assert zone_breaker.claimed(claimed, START + 9.9) is None
    assert zone_breaker.claimed(claimed, START + 10)


def test_a_test_that_is_asked_for_during_a_test_takes_place() -> None:
    """The operator may have mended something after the first one has asked."""
    claimed = zone_breaker.claimed(Standing(), START)
    assert claimed

    assert zone_breaker.tested(zone_breaker.renewed(claimed), WELL, 0.5, START + 1).test_at <= START + 1
    assert zone_breaker.tested(claimed, WELL, 0.5, START + 1).test_at > START + 1000


@given(st.floats(0, 1))
def test_who_is_well_is_tested_about_every_half_hour(luck: float) -> None:
    """And not all zones in the same second."""
    assert 1350 <= examined(Standing(), WELL, luck).test_at - START <= 1800


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_the_usual_share_is_never_certain(asked: int, share: float) -> None:
    """Whatever it has listed, it may always list more or less than it did."""
    assert 0.01 <= zone_breaker.usual_share(asked, int(share * asked)) <= 0.8


SAID = [
    (WELL, WELL, WELL, "", ""),
    (WELL, LISTS_ALL, LISTS_ALL, "it lists 127.0.0.1", "it lists 127.0.0.1"),
    (
        WELL,
        LISTS_CONTROL,
        LISTS_CONTROL,
        "it now lists 127.8.9.254, which no client has: it lists everybody, so it is not believed",
        "it now lists 127.8.9.254, which no client has: it lists everybody, so it is not believed",
    ),
    (LISTS_ALL, SILENT, SILENT, "", ""),
    (LISTS_ALL, WELL, WELL, "it is believed again", ""),
]


@pytest.mark.parametrize(("first", "second", "third", "news", "complaint"), SAID, ids=repr)
def test_what_is_said_of_a_test(first: Health, second: Health, third: Health, news: str, complaint: str) -> None:
    """A change is told once; what is still so, now and then."""
    before = examined(Standing(), first)
    after_change = examined(before, second)
    later = examined(after_change, third)

    assert zone_breaker.change(before, after_change, second) == news
    assert zone_breaker.change(after_change, later, third) == ""
    assert zone_breaker.complaint(later, third, verbose=False) == complaint


def test_silence_is_told_when_it_lasts() -> None:
    """What is over in seconds is worth no line; a remark is for who wants to know more."""
    standing, said = Standing(), []
    for _ in range(5):
        standing = examined(standing, SILENT)
        said.append(zone_breaker.complaint(standing, SILENT, verbose=False))
    remark = Health(remark="does it still live?")

    assert said == [""] * 3 + ["it cannot be asked: timed out; it is left alone until it answers"] * 2
    assert zone_breaker.complaint(Standing(), remark, verbose=False) == ""
    assert zone_breaker.complaint(Standing(), remark, verbose=True) == "does it still live?"


def test_one_line_an_hour() -> None:
    """Also on a machine that has just started."""
    standing = zone_breaker.told(Standing(), 5.0)

    assert standing
    assert zone_breaker.told(standing, 3604.0) is None
    assert zone_breaker.told(standing, 3605.0)


def test_the_gate_is_the_front_of_how_a_zone_stands() -> None:
    """Shared memory holds both at the same place."""
    assert Standing._fields[: len(Gate._fields)] == Gate._fields
