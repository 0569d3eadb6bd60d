"""The resolver, with name servers in the same loop: whom it asks, how often, from which sockets."""

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.support.answering import NameServer, address, nobody, refusal, run, serving, silence
from tests.support.stalls import watched
from ucspi_py.core.dns.message import PTR, TIMED_OUT, UNREACHABLE, A, Absent, Answer, Failed, Found
from ucspi_py.core.dns.servers import Server
from ucspi_py.system.lookup import resolver as resolver_room
from ucspi_py.system.lookup import udp_exchange, udp_pool
from ucspi_py.system.lookup.futures import answer_to
from ucspi_py.system.lookup.resolver import Resolver

LISTED = Found((b"\x7f\0\0\2",), 60)
#: The other server's turn comes after half a second; an answer sooner than that has waited for nobody.
AT_ONCE, TURN = 0.4, 0.5


@contextmanager
def resolving(*servers: NameServer, askers: int = 1) -> Iterator[Resolver]:
    """A resolver that asks these, in this order."""
    named = tuple(server.server for server in servers)
    with contextlib.closing(Resolver(lambda _now: named, askers)) as resolver:
        yield resolver


async def ask(resolver: Resolver, name: bytes = b"a.example", patience: float = 5.0, kind: int = A) -> Answer:
    """One question, and its answer."""
    return await answer_to(resolver.ask, name, kind, time.monotonic() + patience)


async def timed(resolver: Resolver, name: bytes, patience: float = 5.0) -> float:
    """The seconds that an answer takes."""
    start = time.monotonic()
    assert isinstance(await ask(resolver, name, patience), Found | Absent)
    return time.monotonic() - start


async def prompt(resolver: Resolver, name: bytes) -> bool:
    """Whether an answer comes at once; seconds in which a busy machine let nobody here run do not count."""
    async with watched() as stalls:
        seconds = await timed(resolver, name)
    return seconds - stalls.total < AT_ONCE


async def until(condition: Callable[[], object]) -> None:
    """Let the loop go on until something holds."""
    while not condition():
        await asyncio.sleep(0.005)


def names(number: int) -> list[bytes]:
    """Names that differ in their first label."""
    return [b"%d.example" % count for count in range(number)]


class TestWhoIsAsked:
    """Servers that answer, that are silent, that come back."""

    def test_a_silent_server_costs_the_first_client_nothing(self) -> None:
        """Nobody is known to be well, so both are asked at once; from then on only the one that has answered."""

        async def work() -> None:
            with serving(silence, address) as (dead, well), resolving(dead, well) as resolver:
                assert await prompt(resolver, b"first.example")
                for name in names(20):
                    assert await prompt(resolver, name)
                assert len(well.packets) == 21
                assert len(dead.packets) <= 2  # and a probe, once a second at most

        run(work())

    def test_a_server_that_falls_silent_costs_one_client_half_a_second(self) -> None:
        """Then it is remembered."""

        async def work() -> None:
            with serving(address, address) as (first, second), resolving(first, second) as resolver:
                await ask(resolver, b"before.example")
                await ask(resolver, b"before2.example")
                assert first.names() == [b"before", b"before2"]
                first.answer = silence
                assert TURN <= await timed(resolver, b"victim.example") < 2 * TURN
                for name in names(5):
                    assert await prompt(resolver, name)

        run(work())

    def test_a_server_that_is_back_is_noticed_and_asked_first_again(self) -> None:
        """By a question that is repeated to it, whose answer comes after that of the other one."""

        async def work() -> None:
            with serving(silence, address) as (first, second), resolving(first, second) as resolver:
                await ask(resolver, b"before.example")
                first.answer = address
                number = 0
                while first.names()[-1:] != [b"now"]:
                    await ask(resolver, b"%d.example" % number)
                    await asyncio.sleep(0.05)
                    number += 1
                    if len(first.packets) > 1:
                        await ask(resolver, b"now.example")
                assert b"now" not in second.names()

        run(work())

    def test_a_lost_packet_is_repeated_after_half_a_second(self) -> None:
        """On another socket, since this one may have lost its way."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server) as resolver:
                asking = asyncio.create_task(ask(resolver))
                await until(lambda: len(server.packets) == 1)
                start = time.monotonic()
                server.answer = address
                assert await asking == LISTED
                assert time.monotonic() - start < 2 * TURN
                assert server.names() == [b"a", b"a"]
                assert len(set(server.ports)) == 2

        run(work())

    def test_an_answer_that_comes_after_the_next_server_was_asked_counts(self) -> None:
        """A resolver that has to ask around itself may take a second for it."""

        async def work() -> None:
            with serving(silence, silence) as (slow, other), resolving(slow, other) as resolver:
                asking = asyncio.create_task(ask(resolver))
                await until(lambda: len(slow.packets) == 2)
                slow._socket.sendto(address(slow.packets[0]) or b"", ("127.0.0.1", slow.ports[0]))
                assert await asking == LISTED
                assert len(other.packets) == 2

        run(work())

    def test_a_server_that_cannot_say_is_not_silent(self) -> None:
        """The next one is asked at once, and where nobody can say it is over at once."""

        async def work() -> None:
            with serving(refusal, address) as (first, second), resolving(first, second) as resolver:
                for name in names(3):
                    assert await prompt(resolver, name)
                second.answer = refusal
                start = time.monotonic()
                assert isinstance(await ask(resolver, b"nobody.example"), Failed)
                assert time.monotonic() - start < AT_ONCE

        run(work())

    def test_a_closed_port_is_passed_over(self) -> None:
        """It costs a packet a second, and no time."""

        async def work() -> None:
            with serving(address, address) as (first, second), resolving(first, second) as resolver:
                await ask(resolver, b"before.example")
                first.close()
                for name in names(10):
                    assert await prompt(resolver, name)
                assert not resolver._standings.is_well(resolver._upstreams[0])
                second.close()
                assert await ask(resolver, b"nobody.example") == UNREACHABLE

        run(work())


class TestOneQuestion:
    """However many ask the same."""

    def test_all_who_ask_the_same_wait_for_one_answer(self) -> None:
        """A thousand equal questions would let one of a few hundred blind forgeries in (RFC 5452, 5)."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server) as resolver:
                asking = [asyncio.create_task(ask(resolver)) for _ in range(1000)]
                await until(lambda: server.packets)
                server.answer = address
                assert set(await asyncio.gather(*asking)) == {LISTED}
                assert len(server.packets) <= 3

        run(work())

    def test_another_type_is_another_question(self) -> None:
        """Each has its own answer."""

        async def work() -> None:
            with serving(nobody) as (server,), resolving(server) as resolver:
                await asyncio.gather(ask(resolver), ask(resolver, kind=PTR))
                assert len(server.packets) == 2

        run(work())

    def test_everybody_has_a_deadline_of_his_own(self) -> None:
        """Who has less time is told so; the others wait on, and get the answer."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server) as resolver:
                patient = asyncio.create_task(ask(resolver))
                start = time.monotonic()
                assert await ask(resolver, patience=0.2) == TIMED_OUT
                assert time.monotonic() - start < AT_ONCE
                assert not patient.done()
                server.answer = address
                assert await patient == LISTED

        run(work())

    def test_who_joins_late_has_the_question_repeated(self) -> None:
        """The pauses between repeats have grown long by then."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server) as resolver:
                first = asyncio.create_task(ask(resolver, patience=20))
                await until(lambda: len(server.packets) == 2)  # the next repeat is a second away
                server.answer = address
                assert await prompt(resolver, b"a.example")
                assert await first == LISTED

        run(work())

    def test_a_question_that_is_asked_for_ever_takes_no_more_memory(self) -> None:
        """Clients come without end, and no server answers; an answer that is late for one is in time for others."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server) as resolver:
                asking = [asyncio.create_task(ask(resolver))]
                while len(server.packets) < 6:
                    asking.append(asyncio.create_task(ask(resolver)))
                    await asyncio.sleep(0.02)
                (out,) = resolver._askings.values()
                assert len(out.queries) < 5
                server._socket.sendto(address(server.packets[0]) or b"", ("127.0.0.1", server.ports[0]))
                assert set(await asyncio.gather(*asking)) == {LISTED}

        run(work())

    def test_the_trouble_of_one_is_not_that_of_another(self) -> None:
        """Though both wait for the same answer."""

        async def work() -> None:
            troubles: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: troubles.append(context))

            def fail(_answer: Answer) -> None:
                raise ValueError("trouble")

            with serving(address) as (server,), resolving(server) as resolver:
                resolver.ask(b"a.example", A, time.monotonic() + 5, fail)
                assert await ask(resolver) == LISTED
            assert [str(trouble["exception"]) for trouble in troubles] == ["trouble"]

        run(work())

    def test_a_name_that_is_none_is_told_at_once(self) -> None:
        """It is never sent."""

        async def work() -> None:
            with serving(address) as (server,), resolving(server) as resolver:
                assert await ask(resolver, b"x" * 64) == Failed("protocol error")
                assert server.packets == []

        run(work())


class TestManyQuestions:
    """A burst must not be more than what fits into the socket of a name server."""

    @pytest.mark.parametrize(("askers", "limit"), [(1, 200), (4, 50), (1000, 8)])
    def test_so_many_are_out_and_the_others_wait_in_order(self, askers: int, limit: int) -> None:
        """All workers together have 200 out."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server, askers=askers) as resolver:
                asking = [asyncio.create_task(ask(resolver, name)) for name in names(500)]
                await until(lambda: len(server.packets) == limit)
                await asyncio.sleep(0.1)
                assert len(server.packets) == limit
                for packet, port in list(zip(server.packets, server.ports, strict=True)):
                    server._socket.sendto(address(packet) or b"", ("127.0.0.1", port))
                server.answer = address
                assert set(await asyncio.gather(*asking)) == {LISTED}
                assert server.names()[:500] == [b"%d" % number for number in range(500)]

        run(work())

    def test_who_waits_at_a_server_that_falls_silent_goes_to_the_next(self) -> None:
        """All at once, and not each after its own half second."""

        async def work() -> None:
            with serving(address, address) as (first, second), resolving(first, second, askers=10) as resolver:
                await asyncio.gather(*(ask(resolver, name) for name in names(2)))
                await ask(resolver, b"both.example")
                first.answer = silence
                start = time.monotonic()
                answers = await asyncio.gather(*(ask(resolver, b"x" + name) for name in names(500)))
                assert set(answers) == {LISTED}
                assert time.monotonic() - start < 3 * TURN

        run(work())

    def test_who_is_dismissed_gives_its_place_back(self) -> None:
        """Nobody answers; the next ones are asked all the same."""

        async def work() -> None:
            with serving(silence) as (server,), resolving(server, askers=1000) as resolver:
                answers = await asyncio.gather(*(ask(resolver, name, 0.1) for name in names(20)))
                assert set(answers) == {TIMED_OUT}
                server.answer = address
                assert await prompt(resolver, b"then.example")

        run(work())


class TestSockets:
    """Nothing that was learned at the start is kept against evidence, and no port for long."""

    def test_ports_are_changed_by_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """RFC 5452, 9.2."""
        monkeypatch.setattr(udp_exchange, "_QUESTIONS", 2)

        async def work() -> None:
            with serving(nobody) as (server,), resolving(server) as resolver:
                before = len(os.listdir("/proc/self/fd"))
                for name in names(100):
                    await ask(resolver, name)
                # Fifty sockets at least; a few of them may have got the port of one before, by chance.
                assert len(set(server.ports)) > 40
                assert len(os.listdir("/proc/self/fd")) < before + 20

        run(work())

    def test_ports_are_changed_by_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A port that stays for hours can be found out."""
        monkeypatch.setattr(udp_exchange, "_SECONDS", 0.0)

        async def work() -> None:
            with serving(nobody) as (server,), resolving(server) as resolver:
                for name in names(30):
                    await ask(resolver, name)
                assert len(set(server.ports)) > 25

        run(work())

    def test_ids_and_ports_cannot_be_told_in_advance(self) -> None:
        """No order in the ids, and several ports at a time."""

        async def work() -> None:
            with serving(nobody) as (server,), resolving(server) as resolver:
                for name in names(200):
                    await ask(resolver, name)
                ids = [int.from_bytes(packet[:2], "big") for packet in server.packets]
                steps = [later - earlier for earlier, later in pairwise(ids)]
                assert len(set(steps)) > 150
                assert len(set(server.ports)) == udp_pool._SOCKETS

        run(work())

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.ENETUNREACH, errno.EPERM])
    def test_what_cannot_leave_on_one_socket_leaves_on_a_new_one(
        self, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address or the route of the host has changed: no client notices."""
        old: set[int] = set()

        class Fallible(socket.socket):
            """A socket that has lost its way where its number is among the old ones."""

            def send(self, *words: Any) -> int:
                """Send, unless it is old."""
                if id(self) in old:
                    raise OSError(number, "lost")
                return super().send(*words)

        made: list[Fallible] = []

        def make(*words: Any) -> Fallible:
            made.append(Fallible(*words))
            return made[-1]

        async def work() -> None:
            with serving(address) as (server,), resolving(server) as resolver:
                monkeypatch.setattr(socket, "socket", make)
                for name in names(50):
                    await ask(resolver, name)
                old.update(map(id, made))
                for name in names(50):
                    assert await prompt(resolver, b"x" + name)

        run(work())

    def test_a_socket_on_which_nothing_is_heard_is_replaced(self) -> None:
        """What is sent from an address that the host has lost is sent, and never answered."""

        async def work() -> None:
            with serving(address) as (server,), resolving(server) as resolver:
                for name in names(50):
                    await ask(resolver, name)
                lost = set(server.ports)
                server.answer = lambda packet: None if server.ports[-1] in lost else address(packet)
                assert await timed(resolver, b"victim.example") < 3 * TURN
                for name in names(50):
                    assert await prompt(resolver, b"x" + name)

        run(work())

    def test_where_no_socket_can_be_had_an_old_one_serves_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No descriptor is left; and without any socket it is a failure, told once."""

        def fail(*_words: object) -> None:
            raise OSError(errno.EMFILE, "too many")

        async def work() -> None:
            with serving(address) as (server,), resolving(server) as resolver:
                await ask(resolver, b"before.example")
                with monkeypatch.context() as patch:
                    patch.setattr(udp_pool, "Exchange", fail)
                    resolver._upstreams[0]._pool.missed(time.monotonic())
                    for name in names(20):
                        assert await ask(resolver, name) == LISTED
            with resolving(server) as resolver, monkeypatch.context() as patch:
                patch.setattr(udp_pool, "Exchange", fail)
                assert await ask(resolver) == UNREACHABLE

        run(work())

    def test_nothing_stays_open(self) -> None:
        """Whatever is still out when it is closed."""

        async def work() -> None:
            before = os.listdir("/proc/self/fd")
            with serving(silence) as (server,):
                during = os.listdir("/proc/self/fd")
                with resolving(server) as resolver:
                    for name in names(50):
                        resolver.ask(name, A, time.monotonic() + 5, lambda _answer: None)
                    await until(lambda: len(server.packets) == 50)
                assert os.listdir("/proc/self/fd") == during
            assert os.listdir("/proc/self/fd") == before

        run(work())

    def test_what_is_out_is_forgotten_some_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An idle resolver has no timer, and a socket that was replaced is closed."""
        monkeypatch.setattr(resolver_room, "_MEMORY", 0.05)
        monkeypatch.setattr(udp_exchange, "_QUESTIONS", 1)

        async def work() -> None:
            loop = asyncio.get_running_loop()
            with serving(silence) as (server,), resolving(server) as resolver:
                before = len(os.listdir("/proc/self/fd"))
                for name in names(50):
                    resolver.ask(name, A, time.monotonic() + 0.1, lambda _answer: None)
                    await asyncio.sleep(0)  # each leaves alone
                assert len(os.listdir("/proc/self/fd")) > before + udp_pool._SOCKETS
                await until(lambda: len(os.listdir("/proc/self/fd")) <= before + udp_pool._SOCKETS)
                await until(lambda: not _timers(loop))

        run(work())


class TestTheList:
    """resolv.conf changes under a running server."""

    def test_what_is_out_is_asked_of_the_new_servers(self) -> None:
        """At once; and who is named no more is asked no more, from no socket."""

        async def work() -> None:
            with serving(silence, address) as (gone, new):
                current: list[tuple[Server, ...]] = [(gone.server,)]
                with contextlib.closing(Resolver(lambda _now: current[0], 100)) as resolver:
                    asking = [asyncio.create_task(ask(resolver, name)) for name in names(50)]
                    await until(lambda: gone.packets)
                    current[0] = (new.server,)
                    start = time.monotonic()
                    assert set(await asyncio.gather(*asking)) == {LISTED}
                    assert time.monotonic() - start < AT_ONCE
                    asked = len(gone.packets)
                    await ask(resolver, b"then.example")
                    assert len(gone.packets) == asked == 8
                    assert not any(upstream._queue for upstream in resolver._left)

        run(work())

    def test_a_server_that_stays_in_the_list_stays_known(self) -> None:
        """Its sockets, and whether it is well."""

        async def work() -> None:
            with serving(address, address) as (first, second):
                current: list[tuple[Server, ...]] = [(first.server,)]
                with contextlib.closing(Resolver(lambda _now: current[0])) as resolver:
                    await ask(resolver, b"before.example")
                    current[0] = (second.server, first.server)
                    await ask(resolver, b"then.example")
                    assert first.names() == [b"before", b"then"]
                    assert second.names() == [b"then"]  # a probe
                    await until(lambda: resolver._standings.is_well(resolver._upstreams[0]))
                    await ask(resolver, b"last.example")
                    assert first.names() == [b"before", b"then"]

        run(work())


def _timers(loop: asyncio.AbstractEventLoop) -> Sequence[object]:
    """What is due later, but for the patience of the test."""
    return [timer for timer in loop._scheduled if timer.when() < loop.time() + 10]  # type: ignore[attr-defined]
