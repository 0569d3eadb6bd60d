"""What becomes of a network's visits, by tables and by any clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.client.limits import Prefixes
from ucspi_py.core.greylist.network import Decision, Record, decide, exempt, expiry, network
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.smtp.verdict import Accept, Refuse

NOW = 1_800_000_000
DELAY, WINDOW, MEMORY = 300, 172_800, 3_024_000
SETTINGS = GreylistSettings("db", DELAY, WINDOW, MEMORY, Prefixes(24, 64), 60)


def refused(seconds: int) -> Refuse:
    """The refusal that asks for so much patience."""
    return Refuse(451, b"Greylisted, try again in %d seconds" % seconds)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(None, Decision(refused(300), Record(NOW)), id="first contact"),
        pytest.param(Record(NOW), Decision(refused(300), Record(NOW)), id="again in the same second"),
        pytest.param(Record(NOW - 299), Decision(refused(1), Record(NOW - 299)), id="a second too early"),
        pytest.param(Record(NOW - 300), Decision(Accept(), Record(NOW - 300, NOW)), id="on time"),
        pytest.param(Record(NOW - WINDOW), Decision(Accept(), Record(NOW - WINDOW, NOW)), id="in the last second"),
        pytest.param(Record(NOW - WINDOW - 1), Decision(refused(300), Record(NOW)), id="a second too late"),
        pytest.param(Record(1, NOW - 100), Decision(Accept(), Record(1, NOW - 100)), id="known, not worth a write"),
        pytest.param(Record(1, NOW - 30_240), Decision(Accept(), Record(1, NOW - 30_240)), id="a hundredth, no write"),
        pytest.param(Record(1, NOW - 30_241), Decision(Accept(), Record(1, NOW)), id="a second more, renewed"),
        pytest.param(Record(1, NOW - 86_400), Decision(Accept(), Record(1, NOW)), id="known, renewed"),
        pytest.param(Record(1, NOW - MEMORY), Decision(Accept(), Record(1, NOW)), id="known, in the last second"),
        pytest.param(Record(1, NOW - MEMORY - 1), Decision(refused(300), Record(NOW)), id="forgotten"),
        pytest.param(Record(NOW + 9_999), Decision(refused(300), Record(NOW)), id="first contact in the future"),
        pytest.param(Record(1, NOW + 9**9), Decision(Accept(), Record(1, NOW + 9**9)), id="let in in the future"),
    ],
)
def test_a_visit(record: Record | None, expected: Decision) -> None:
    """Refused for the delay, then let in within the window, then known."""
    assert decide(record, NOW, SETTINGS) == expected


@pytest.mark.parametrize(
    ("ip", "prefixes", "expected"),
    [
        (b"192.0.2.77", Prefixes(24, 64), "192.0.2.0/24"),
        (b"192.0.2.77", Prefixes(32, 64), "192.0.2.77/32"),
        (b"192.0.2.77", Prefixes(1, 64), "128.0.0.0/1"),
        (b"::ffff:192.0.2.77", Prefixes(24, 64), "192.0.2.0/24"),
        (b"2001:db8:0:1:a:b:c:d", Prefixes(24, 64), "2001:db8:0:1::/64"),
        (b"2001:DB8:0:0:1::", Prefixes(24, 128), "2001:db8:0:0:1::/128"),
        (b"2001:db8:1:2::3", Prefixes(24, 48), "2001:db8:1::/48"),
        (b"fe80::1%eth0", Prefixes(24, 64), "fe80::/64"),
        (b"", Prefixes(24, 64), None),
        (b"unknown", Prefixes(24, 64), None),
        (b"1.2.3", Prefixes(24, 64), None),
        (b"1.2.3.4.5", Prefixes(24, 64), None),
        (b"192.0.2.1/24", Prefixes(24, 64), None),
        (b":::", Prefixes(24, 64), None),
        (b"\xff\xfe", Prefixes(24, 64), None),
        (b"1.2.3.4\n", Prefixes(24, 64), None),
    ],
)
def test_network(ip: bytes, prefixes: Prefixes, expected: str | None) -> None:
    """One form for each network; what is no address has none."""
    assert network(ip, prefixes) == expected


@given(st.binary(max_size=40) | st.text("0123456789abcdef:.%/", max_size=40).map(str.encode))
def test_network_of_anything(ip: bytes) -> None:
    """Whatever a server puts into $TCPREMOTEIP, it is a network or none."""
    found = network(ip, Prefixes(24, 64))
    assert found is None or found.endswith(("/24", "/64"))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({b"GREYLIST": b""}, True),
        ({b"GREYLIST": b"x"}, False),
        ({b"RELAYCLIENT": b""}, True),
        ({b"RELAYCLIENT": b"@example.org"}, True),
        ({b"RBLSMTPD": b""}, True),
        ({b"RBLSMTPD": b"-No"}, False),
    ],
)
def test_exempt(environment: dict[bytes, bytes], expected: bool) -> None:
    """A rule spares a client, and who may relay is no stranger."""
    assert exempt(environment) is expected


times = st.integers(0, 2**33)
records = st.none() | st.builds(Record, times, st.none() | times)
orderly = st.tuples(st.integers(1, 900), st.integers(1, 9_000), st.integers(1, 90_000)).map(
    lambda s: GreylistSettings("db", s[0], s[0] + s[1], s[2], Prefixes(24, 64), 60)
)


@given(records, times, orderly)
def test_nobody_waits_longer_than_one_delay(record: Record | None, now: int, settings: GreylistSettings) -> None:
    """Whatever the clock has done so far: who is told to wait n seconds waits at most the delay, and then is let in."""
    decision = decide(record, now, settings)
    if isinstance(decision.verdict, Refuse):
        wait = int(decision.verdict.text.split()[-2])
        assert 1 <= wait <= settings.delay
        early = decide(decision.record, now + wait - 1, settings)
        assert isinstance(early.verdict, Refuse)
        assert early.record == decision.record
        assert decide(early.record, now + wait, settings).verdict == Accept()


@given(records, times, orderly, st.data())
def test_who_was_let_in_is_known(
    record: Record | None, now: int, settings: GreylistSettings, data: st.DataObject
) -> None:
    """For the memory, but for the hundredth that is not written down, and whenever the clock is stepped back."""
    decision = decide(record, now, settings)
    if decision.verdict == Accept():
        later = data.draw(st.integers(0, now + settings.memory - settings.memory // 100))
        assert decide(decision.record, later, settings).verdict == Accept()


@given(st.lists(times, min_size=1), orderly)
def test_nobody_is_let_in_at_first(visits: list[int], settings: GreylistSettings) -> None:
    """Whatever the clock shows at each visit, the first one is refused, and so is each that finds nothing left."""
    record = None
    for now in visits:
        fresh = record is None or expiry(record, settings) < now
        decision = decide(record, now, settings)
        assert not fresh or isinstance(decision.verdict, Refuse)
        record = decision.record


@given(st.lists(st.integers(0, 1_000), min_size=1), orderly)
def test_a_true_clock(pauses: list[int], settings: GreylistSettings) -> None:
    """Where the clock only goes on, nobody is let in before the delay has passed since a refused first contact."""
    record, now = None, NOW
    for pause in pauses:
        now += pause
        decision = decide(record, now, settings)
        record = decision.record
        if decision.verdict == Accept():
            assert record.passed is not None
            assert record.first + settings.delay <= record.passed <= now


@given(st.lists(st.tuples(st.integers(-5_000, 5_000), st.integers(0, 400)), max_size=20), orderly)
def test_each_step_costs_one_delay_at_most(steps: list[tuple[int, int]], settings: GreylistSettings) -> None:
    """A network that comes every second is let in after one delay, and one more for each step of the clock."""
    record, now, waited, wait = None, NOW, 0, 0
    for step, patience in [*steps, (0, settings.delay)]:
        now += step
        for _ in range(patience + 1):
            decision = decide(record, now, settings)
            record = decision.record
            if decision.verdict == Accept():
                break
            assert isinstance(decision.verdict, Refuse)
            wait = int(decision.verdict.text.split()[-2])
            now += 1
            waited += 1
    assert decision.verdict == Accept()
    assert waited <= (len(steps) + 1) * (settings.delay + 1)
    assert wait <= settings.delay
