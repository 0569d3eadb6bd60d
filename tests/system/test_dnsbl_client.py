"""A worker's client of its zones: memory, breaker, quarantine, counters; the name servers are a table."""

import asyncio
import re
import time
from collections.abc import Callable

import pytest

from tests.support.table import SILENCE, Table, address, healthy, listing
from ucspi_py.core.dns.message import TXT, A, Absent, Answer, AnswerCallback, Failed, Found
from ucspi_py.core.dnsbl import answers as dnsbl
from ucspi_py.core.dnsbl import breaker as zone_breaker
from ucspi_py.core.dnsbl import zone
from ucspi_py.core.dnsbl.answers import CLEAN, Failing, Finding, Listed, Result
from ucspi_py.core.dnsbl.outcome import ScreenResult
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.service.settings import Program
from ucspi_py.system.dnsbl.client import DnsblClient
from ucspi_py.system.dnsbl.judge import query_and_watch
from ucspi_py.system.dnsbl.query import Query
from ucspi_py.system.dnsbl.shared_state import SharedZones
from ucspi_py.system.report.log import VERBOSE, Log

ERROR = Found((b"\x7f\xff\xff\xfe",))
ME = b"192.0.2.7"


class Clock:
    """The monotonic clock, which can be set forward."""

    ahead = 0.0
    true = staticmethod(time.monotonic)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's clock."""
    monkeypatch.setattr(Clock, "ahead", 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: Clock.true() + Clock.ahead)


def forward(seconds: float) -> None:
    """Set the clock forward."""
    Clock.ahead += seconds


class Office:
    """Clients of one board, as two workers have them."""

    def __init__(
        self,
        *words: str,
        table: Table | None = None,
        verbose: bool = False,
        scores: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.settings = DnsblSettings(tuple(map(zone.parse, words)), 60, 5.0, *scores, verbose=verbose)
        self.zones = self.settings.zones
        self.table = table or Table()
        self.board = SharedZones(len(self.zones))
        program = Program((self.settings,), ("true",))
        self.clients = [DnsblClient(program, self.board, self.table.ask, Log(VERBOSE)) for _ in range(2)]
        self.dnsbl = self.clients[0]

    async def ask_zone(self, ip: bytes = ME, number: int = 0) -> Finding:
        """What the first client learns from a zone."""
        loop = asyncio.get_running_loop()
        name = dnsbl.query(self.zones[number], ip, ask_private=False) or b""
        result: asyncio.Future[Result] = loop.create_future()
        self.dnsbl.ask_zone(Query(self.zones[number], ip, name, time.monotonic() + 5), result.set_result)
        return (await result).finding

    async def screen(self, ip: bytes) -> ScreenResult:
        """One client, screened and counted as in a server."""
        screened = await query_and_watch(self.settings, {b"TCPREMOTEIP": ip}, self.dnsbl.ask_zone, None)
        self.dnsbl.note_result(self.settings, screened)
        return screened

    def may_be_asked(self) -> bool:
        """Whether clients are asked about at the first zone."""
        return zone_breaker.may_be_asked(self.board.standing(0), time.monotonic())

    async def look(self) -> None:
        """All clients look once for zones that are to be tested."""
        watching = [asyncio.ensure_future(client.watch()) for client in self.clients]
        for _ in range(50):
            await asyncio.sleep(0)
        for watch in watching:
            watch.cancel()
        await asyncio.wait(watching)

    async def test(self) -> None:
        """Time has come for a test of every zone."""
        for number in range(len(self.zones)):
            self.board.test_soon(number)
        await self.look()


def clients(number: int) -> list[bytes]:
    """Addresses of so many clients."""
    return [b"192.0.%d.%d" % divmod(at, 256) for at in range(number)]


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What the log has said of zones since the last time."""
    return re.findall(r"dnsbl: warning: zone (.*)", capfd.readouterr().err)


class TestMemory:
    """What a zone has said of an address is not asked again."""

    @pytest.mark.parametrize(("ttl", "kept"), [(0, 60), (30, 60), (600, 600), (86400, 3600)])
    @pytest.mark.parametrize("listed", [True, False])
    def test_for_as_long_as_the_zone_says(self, ttl: int, kept: int, listed: bool) -> None:
        """But a minute at least and an hour at most."""
        answers = listing(b"bl", ME, ttl=ttl) if listed else {(b"7.2.0.192.bl", A): Absent(ttl=ttl)}

        async def main() -> None:
            office = Office("bl", table=Table(answers))
            first = await office.ask_zone()
            questions = list(office.table.asked)
            forward(kept - 1)
            assert await office.ask_zone() == first
            assert office.table.asked == questions
            forward(2)
            assert await office.ask_zone() == first
            assert office.table.asked == questions * 2

        asyncio.run(main())

    def test_of_this_zone_and_this_address(self) -> None:
        """Another address or another zone is another question."""

        async def main() -> None:
            office = Office("bl", "wl", table=Table(listing(b"bl", ME)))
            assert await office.ask_zone() == Listed(b"listed", b"\x7f\0\0\2")
            assert await office.ask_zone(b"192.0.2.8") == CLEAN
            assert await office.ask_zone(number=1) == CLEAN
            assert office.table.names() == [b"7.2.0.192.bl"] * 2 + [b"8.2.0.192.bl", b"7.2.0.192.wl"]

        asyncio.run(main())

    def test_is_bounded(self) -> None:
        """After 20,000 others the first is forgotten, and the last is not."""

        async def main() -> None:
            office = Office("bl")
            for ip in clients(20_001):
                await office.ask_zone(ip)
            asked = len(office.table.asked)
            await office.ask_zone(clients(20_001)[-1])
            assert len(office.table.asked) == asked
            await office.ask_zone(clients(1)[0])
            assert len(office.table.asked) == asked + 1

        asyncio.run(main())

    @pytest.mark.parametrize("answer", [SILENCE, ERROR])
    def test_of_a_failure_is_short(self, answer: Found) -> None:
        """Who comes again at once does not wait for the same zone again; seconds later it is asked once more."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): answer}))
            assert isinstance(await office.ask_zone(), Failing)
            assert isinstance(await office.ask_zone(), Failing)
            assert len(office.table.asked) == 1
            forward(16)
            await office.ask_zone()
            assert len(office.table.asked) == 2

        asyncio.run(main())


class TestBreaker:
    """A zone that fails again and again is left alone, and asked in the background until it answers."""

    def test_after_five_failures_nobody_waits(self, capfd: pytest.CaptureFixture[str]) -> None:
        """One line says so."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): SILENCE}))
            for ip in clients(10):
                assert isinstance(await office.ask_zone(ip), Failing)
            assert len(office.table.asked) == 5

        asyncio.run(main())

        assert lines(capfd) == ["bl: it failed too often, last: timed out; it is left alone for a while"]

    def test_failures_are_counted_in_a_row(self) -> None:
        """An answer between them begins a new row."""

        async def main() -> None:
            table = Table({(b"bl", A): SILENCE, (b"9.2.0.192.bl", A): Absent()})
            office = Office("bl", table=table)
            for ip in (*clients(4), b"192.0.2.9", *clients(8)[4:]):
                await office.ask_zone(ip)
            assert len(table.asked) == 9
            assert office.may_be_asked()

        asyncio.run(main())

    def test_it_comes_back_by_itself(self) -> None:
        """The next look tests it, and clients are screened again; nothing that it said before is forgotten."""

        async def main() -> None:
            table = Table({(b"bl", A): SILENCE} | listing(b"bl", b"192.0.2.66", ttl=600))
            office = Office("bl", table=table)
            assert isinstance(await office.ask_zone(b"192.0.2.66"), Listed)
            for ip in clients(5):
                await office.ask_zone(ip)
            assert not office.may_be_asked()
            office.table.answers = healthy(b"bl") | listing(b"bl", ME)
            await office.look()
            assert office.may_be_asked()
            assert isinstance(await office.ask_zone(), Listed)
            assert await office.ask_zone(clients(1)[0]) == CLEAN  # its failure is forgotten
            assert isinstance(await office.ask_zone(b"192.0.2.66"), Listed)

        asyncio.run(main())

    def test_the_first_failure_has_it_tested(self) -> None:
        """If it is dead, the second client finds it left alone."""

        async def main() -> None:
            office = Office("bl", table=Table(healthy(b"bl")))
            await office.look()
            forward(3)
            office.table.answers = {(b"bl", A): SILENCE}
            await office.ask_zone(clients(1)[0])
            await office.look()
            office.table.asked.clear()
            assert await office.ask_zone(clients(2)[1]) == Failing("left alone, it failed too often")
            assert office.table.asked == []

        asyncio.run(main())

    def test_a_name_servers_memory_does_not_deceive_it(self) -> None:
        """The test points may be answered from memory while the zone is dead; a random address is not."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): SILENCE} | healthy(b"bl")))
            await office.test()
            assert not office.may_be_asked()

        asyncio.run(main())

    def test_as_long_as_it_is_dead_it_stays_alone(self, capfd: pytest.CaptureFixture[str]) -> None:
        """It is tested before anybody could be made to wait, and after some seconds a line says so."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): SILENCE}))
            for seconds in (1, 2, 4):
                await office.look()
                assert office.board.standing(0).test_at <= time.monotonic() + seconds
                forward(seconds)
                assert not office.may_be_asked()
            assert lines(capfd) == []
            await office.look()

        asyncio.run(main())

        assert lines(capfd) == ["bl: it cannot be asked: timed out; it is left alone until it answers"]

    def test_a_zone_without_test_points_is_asked_about_nobody_but_the_control_address(self) -> None:
        """+notest: one question about nobody, at the start and after a failure."""

        async def main() -> None:
            office = Office("bl+notest")
            await office.look()
            office.table.answers = {(b"bl", A): SILENCE}
            await office.ask_zone()
            await office.test()
            assert not office.may_be_asked()
            office.table.answers = {}
            await office.test()
            assert office.may_be_asked()
            controls = [name for name in office.table.names() if not name.startswith(b"7.2.0.192")]
            assert len(controls) == 3
            assert all(re.fullmatch(rb"254\.\d+\.\d+\.127\.bl", name) for name in controls)
            assert len(set(controls)) > 1

        asyncio.run(main())


class TestDistrust:
    """A zone that lists the world, or answers with errors, is not believed."""

    @pytest.mark.parametrize(
        ("lie", "sentence"),
        [
            (address(), "it lists 127.0.0.1, as no list may: it would list everybody, so it is not believed"),
            (ERROR, "it answers 127.255.255.254, which is an error and lists nobody, so it is not believed"),
        ],
    )
    def test_one_sentence_says_why(self, lie: Found, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Nobody is listed, nobody is asked, and each change is told once."""

        async def main() -> None:
            office = Office("short@key.bl", table=Table({(b"key.bl", A): lie, (b"key.bl", TXT): Found((b"x",))}))
            await office.look()
            assert lines(capfd) == [f"short: {sentence}"]
            await office.test()
            assert lines(capfd) == []
            office.table.asked.clear()
            assert await office.ask_zone() == Failing("not believed for now", answered=True)
            assert office.table.asked == []
            office.table.answers = healthy(b"key.bl")
            await office.test()
            assert lines(capfd) == ["short: it is believed again"]
            assert await office.ask_zone() == CLEAN

        asyncio.run(main())

    def test_another_line_of_the_same_hour_does_not_hide_it(self, capfd: pytest.CaptureFixture[str]) -> None:
        """First it fails, then it lists the world."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): SILENCE}))
            for ip in clients(5):
                await office.ask_zone(ip)
            assert len(lines(capfd)) == 1
            office.table.answers = {(b"bl", A): address()}
            await office.test()

        asyncio.run(main())

        assert "lists 127.0.0.1" in lines(capfd)[0]

    def test_silence_does_not_end_it(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A zone that listed the world and is now dead has not become better."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): address()}))
            await office.look()
            office.table.answers = {(b"bl", A): SILENCE}
            await office.test()
            assert office.board.standing(0).distrusted
            assert await office.ask_zone() == Failing("not believed for now", answered=True)

        asyncio.run(main())

        assert not any("again" in line for line in lines(capfd))

    def test_what_it_said_is_forgotten(self) -> None:
        """Whom it listed while it listed the world is asked about again when it is well."""

        async def main() -> None:
            office = Office("bl", table=Table(healthy(b"bl")))
            await office.look()
            office.table.answers = {(b"bl", A): address(ttl=3600), (b"bl", TXT): Found((b"x",), 3600)}
            assert isinstance(await office.ask_zone(), Listed)
            await office.test()
            office.table.answers = healthy(b"bl")
            await office.test()
            assert await office.ask_zone() == CLEAN

        asyncio.run(main())

    def test_errors_for_clients_do_not_count_as_silence(self, capfd: pytest.CaptureFixture[str]) -> None:
        """They cost nobody any time: each is counted, the breaker stays closed, and one line an hour says so."""

        async def main() -> None:
            office = Office("bl", table=Table({(b"bl", A): ERROR} | healthy(b"bl")))
            for ip in clients(10):
                finding = await office.ask_zone(ip)
                assert isinstance(finding, Failing)
                assert finding.answered
            assert len(office.table.asked) == 10
            office.dnsbl.share()
            assert office.board.record(0).errors == 10

        asyncio.run(main())

        assert lines(capfd) == ["bl: it answers 127.255.255.254, which is an error and lists nobody"]


class TestSuspicion:
    """A zone that lists client after client is tested at once, and it is the test that decides."""

    @pytest.mark.parametrize("words", ["bl", "bl+notest"])
    def test_who_begins_to_list_everybody_is_not_believed(self, words: str, capfd: pytest.CaptureFixture[str]) -> None:
        """Although 127.0.0.1 is spared; and it is believed again as soon as it has stopped."""

        async def main() -> None:
            office = Office(words, table=Table(healthy(b"bl")))
            await office.look()
            forward(60)
            for ip in clients(100):
                await office.ask_zone(ip)
            office.dnsbl.share()
            office.table.answers = healthy(b"bl") | {(b"bl", A): address(), (b"bl", TXT): Found((b"x",))}
            for ip in clients(110)[100:]:
                assert isinstance(await office.ask_zone(ip), Listed)
            office.dnsbl.share()
            await office.look()
            (line,) = lines(capfd)
            assert re.fullmatch(
                r"bl: it now lists 127\.\d+\.\d+\.254, which no client has: it lists everybody, so it is not believed",
                line,
            )
            assert await office.ask_zone(ME) == Failing("not believed for now", answered=True)
            office.table.answers = healthy(b"bl")
            forward(1)
            await office.look()
            assert lines(capfd) == ["bl: it is believed again"]
            assert await office.ask_zone(clients(110)[-1]) == CLEAN

        asyncio.run(main())

    def test_a_wave_of_listed_clients_does_not_switch_it_off(self, capfd: pytest.CaptureFixture[str]) -> None:
        """130 clean ones, then 240 that are listed: all of them are refused (row 1 of the field)."""
        wave = clients(370)[130:]

        async def main() -> None:
            answers = healthy(b"bl")
            for ip in wave:
                answers |= listing(b"bl", ip)
            office = Office("bl", table=Table(answers))
            await office.look()
            for ip in clients(130):
                assert await office.ask_zone(ip) == CLEAN
            office.dnsbl.share()
            asked = len(office.table.asked)
            for ip in wave:
                assert isinstance(await office.ask_zone(ip), Listed)
                forward(0.1)
                office.dnsbl.share()
                await office.look()
            tests = (len(office.table.asked) - asked - 2 * len(wave)) / 3
            assert 1 <= tests <= 9

        asyncio.run(main())

        assert lines(capfd) == []

    def test_who_came_before_the_wave_does_not_hide_it(self) -> None:
        """Also where all of them come within the same quarter of a second."""

        async def main() -> None:
            answers = healthy(b"bl")
            for ip in clients(60)[30:]:
                answers |= listing(b"bl", ip)
            office = Office("bl", table=Table(answers))
            await office.look()
            forward(3)
            for ip in clients(60):
                await office.ask_zone(ip)
            office.dnsbl.share()
            assert office.board.standing(0).test_at <= time.monotonic()

        asyncio.run(main())


class TestTests:
    """Who tests, and when."""

    def test_one_desk_tests_for_all(self) -> None:
        """Each question once, and then not for many minutes."""

        async def main() -> None:
            office = Office("bl", "wl")
            await office.look()
            assert len(office.table.asked) == len(set(office.table.asked)) == 6
            await office.look()
            assert len(office.table.asked) == 6
            for number in range(2):
                assert time.monotonic() + 1300 < office.board.standing(number).test_at < time.monotonic() + 1801

        asyncio.run(main())

    def test_what_a_killed_worker_has_begun_is_done_by_another(self) -> None:
        """Ten seconds later (row 44 of the field)."""

        async def main() -> None:
            office = Office("bl")
            assert office.board.claim_test(0)  # and that was its last deed
            forward(9)
            await office.look()
            assert office.table.asked == []
            forward(1)
            await office.look()
            assert len(office.table.asked) == 3

        asyncio.run(main())

    def test_an_error_in_a_test_is_told_and_does_not_end_testing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """The other zones are tested all the same, and this one again some seconds later."""

        async def main() -> None:
            office = Office("bl", "wl", table=Table(healthy(b"bl") | healthy(b"wl")))

            def broken(name: bytes, kind: int, deadline: float, callback: AnswerCallback) -> None:
                office.table.asked.append((name, kind))
                if name.endswith(b"bl"):
                    raise OverflowError("port must be 0-65535")
                office.table.ask(name, kind, deadline, callback)

            program = Program((office.settings,), ("true",))
            office.clients = [DnsblClient(program, office.board, broken, Log(VERBOSE))]
            watching = asyncio.ensure_future(office.clients[0].watch())
            await _until(lambda: office.board.standing(1).control_clean == 1)
            forward(10)
            await _until(lambda: len([name for name in office.table.names() if name.endswith(b"bl")]) == 2)
            assert not watching.done()
            watching.cancel()
            await asyncio.wait([watching])

        asyncio.run(main())

        assert lines(capfd) == ["bl: it cannot be tested: OverflowError('port must be 0-65535')"]

    def test_a_slow_zone_does_not_keep_the_others_waiting(self) -> None:
        """All that are due are tested at once."""

        async def main() -> None:
            office = Office("a", "b", "c")

            def silent(name: bytes, kind: int, _deadline: float, _tell: AnswerCallback) -> None:
                office.table.asked.append((name, kind))

            program = Program((office.settings,), ("true",))
            office.clients = [DnsblClient(program, office.board, silent, Log(VERBOSE))]
            await office.look()
            assert {name[-1:] for name in office.table.names()} == {b"a", b"b", b"c"}

        asyncio.run(main())

    def test_an_empty_zone_is_remarked_on(self, capfd: pytest.CaptureFixture[str]) -> None:
        """With -v only: it harms nobody."""

        async def main(verbose: bool) -> None:
            await Office("bl", verbose=verbose).look()

        asyncio.run(main(False))
        assert lines(capfd) == []
        asyncio.run(main(True))
        assert lines(capfd) == ["bl: it does not list its test point 127.0.0.2; does it still live?"]


class TestCounters:
    """What an operator needs to see which zone earns its keep."""

    def test_of_a_zone(self) -> None:
        """Asked, listed, errors, timeouts; alone or together with others; memory costs no question."""
        both, one = b"192.0.2.1", b"192.0.2.2"
        answers = listing(b"bl", both) | listing(b"dul", both) | listing(b"bl", one)
        answers |= {(b"3.2.0.192.bl", A): SILENCE, (b"3.2.0.192.dul", A): ERROR}

        async def main() -> list[dict[str, int]]:
            office = Office("bl", "dul", table=Table(answers), scores=(1, 1))  # for a 553 all are waited for
            for ip in (both, one, one, b"192.0.2.3", b"192.0.2.4"):
                await office.screen(ip)
            for client in office.clients:
                client.share()
            return [record.totals() for record in office.board.records()]

        bl, dul = asyncio.run(main())

        assert bl | {"milliseconds": 0} == _totals(asked=4, listed=2, timeouts=1, unique=2, overlap=1)
        assert dul | {"milliseconds": 0} == _totals(asked=4, listed=1, errors=1, overlap=1)

    def test_of_two_desks_are_added(self) -> None:
        """And none of them twice."""

        async def main() -> int:
            office = Office("bl", table=Table(listing(b"bl", ME)))
            for client in office.clients:
                for ip in (ME, b"192.0.2.8"):
                    await query_and_watch(office.settings, {b"TCPREMOTEIP": ip}, client.ask_zone, None)
                client.share()
                client.share()
            return office.board.record(0).listed

        assert asyncio.run(main()) == 2

    def test_of_look_ups_that_took_their_time(self) -> None:
        """Milliseconds, of answers and of failures."""

        async def main() -> int:
            office = Office("bl")

            def slow(name: bytes, _kind: int, _deadline: float, callback: AnswerCallback) -> None:
                forward(0.25)
                callback(SILENCE if name.startswith(b"9.") else Absent())

            office.dnsbl = DnsblClient(Program((office.settings,), ("true",)), office.board, slow, Log(VERBOSE))
            for ip in (b"192.0.2.7", b"192.0.2.8", b"192.0.2.9"):
                await office.ask_zone(ip)
            office.dnsbl.share()
            return office.board.record(0).milliseconds

        assert 750 <= asyncio.run(main()) < 1000

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (SILENCE, {"asked": 1, "timeouts": 1, "skipped": 3}),
            (Failed("temporary failure"), {"asked": 1, "errors": 1, "skipped": 3}),
            (address(), {"skipped": 3}),
        ],
        ids=repr,
    )
    def test_of_a_zone_that_is_not_asked(self, answer: Answer, expected: dict[str, int]) -> None:
        """A dead one and one that is not believed cost look-ups and let clients in: the totals say so (row 26)."""

        async def main() -> dict[str, int]:
            office = Office("bl", table=Table({(b"bl", A): answer}))
            await office.look()
            for ip in clients(3):
                await office.screen(ip)
            office.dnsbl.share()
            return office.board.record(0).totals()

        assert asyncio.run(main()) == _totals(**expected)

    def test_they_are_shared_within_a_second(self) -> None:
        """Without anybody's asking for it."""

        async def main() -> None:
            office = Office("bl")
            await office.screen(ME)
            await _until(lambda: office.board.record(0).asked == 1)

        asyncio.run(main())


def _totals(**counts: int) -> dict[str, int]:
    names = ("asked", "listed", "errors", "timeouts", "unique", "overlap", "milliseconds", "skipped")
    return dict.fromkeys(names, 0) | counts


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)
