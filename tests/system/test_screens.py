"""A screen in service, of a kind of the test's."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.admission import Lines
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.smtp.verdict import Accept, Outcome, Refuse, Verdict
from ucspi_py.system.screens import kinds
from ucspi_py.system.screens.screen import Host, Kind, Screen

NO = Refuse(451, b"no")
SETTINGS = DnsblSettings((), 60, 5.0)
ASKED = Outcome(Accept(), NO, {b"MARK": b"1"}, (b"one\n", b"two\n"))


class Asking:
    """Says of every client what the test wants."""

    made = 0

    def __init__(self, _settings: object, _host: Host) -> None:
        type(self).made += 1
        self.did: list[str] = []

    async def open(self) -> None:
        """Note it."""
        self.did.append("open")

    async def judge(self, _environment: Mapping[bytes, bytes], _client: socket.SocketType | None, /) -> Outcome:
        """Note it."""
        self.did.append("judge")
        return ASKED

    async def close(self) -> None:
        """Note it."""
        self.did.append("close")


def screen(outcome: Outcome | None, counted: list[tuple[bytes, Verdict]], log: Lines) -> Screen:
    """A screen whose environment decides so."""
    zones: Any = None
    host = Host(log, zones, lambda kind, verdict: counted.append((kind, verdict)))
    return Screen(SETTINGS, Kind(DnsblSettings, lambda *_: outcome, Asking, lambda _: None), host)


def test_what_is_asked_is_logged_counted_and_left_in_the_environment() -> None:
    """Once for each client; who is asked is made once."""
    log, counted, environment, before = Lines(), list[tuple[bytes, Verdict]](), {b"A": b"1"}, Asking.made
    one = screen(None, counted, log)

    async def main() -> Verdict:
        await one.open()
        verdict = await one.judge(environment, None)
        await one.close()
        return verdict

    assert one.judge_unasked(environment) is None
    assert asyncio.run(main()) == Accept()
    assert counted == [(b"dnsbl", NO)]
    assert log.lines == [b"one\n", b"two\n"]
    assert environment == {b"A": b"1", b"MARK": b"1"}
    assert Asking.made == before + 1


def test_where_the_environment_decides_nobody_is_asked() -> None:
    """Nor is anybody made who could be."""
    log, counted, before = Lines(), list[tuple[bytes, Verdict]](), Asking.made
    one = screen(Outcome(NO, NO), counted, log)

    assert one.judge_unasked({}) == NO
    assert asyncio.run(one.judge({}, None)) == NO
    asyncio.run(one.close())
    assert counted == [(b"dnsbl", NO)] * 2
    assert Asking.made == before


def test_each_kind_has_a_row_and_a_name_of_its_own() -> None:
    """By the type of its settings; totals are kept by the name, but of the one that refuses nobody."""
    names = [kind.settings.totals_name for kind in kinds.KINDS]

    assert names == [b"dnsbl", b"greylist", b""]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.settings.__name__)
def test_a_kind_says_at_once_whether_it_has_to_ask(kind: Kind) -> None:
    """A rule with RBLSMTPD="" spares a client every screen."""
    outcome = kind.unasked(SETTINGS, {b"RBLSMTPD": b""}, 77)

    assert outcome
    assert isinstance(outcome.verdict, Accept)
    assert outcome.said == outcome.verdict
