"""What pyrules explain --session says of milters is what they do in the server, and they are told the same."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.server.test_explain import conversed, spoken, unsaid
from tests.support.backends.known import Scripted
from tests.support.gate import Gate, gated
from tests.support.milter import CLOSES, CONTINUE, ScriptedMilter, optneg, scripted_milter
from tests.support.rules_tools import compiled_by_ours
from tests.support.waiting import until
from ucspi_py.cli import service_from
from ucspi_py.core.explain.question import Asked
from ucspi_py.core.milter.packet import packed
from ucspi_py.core.milter.words import Protocol
from ucspi_py.core.service.settings import ServerSettings
from ucspi_py.system.explain import way

MAIN_CF = """
mydestination = example.org
local_recipient_maps = inline:{r@example.org=x, t@example.org=x}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_error_sleep_time = 0
"""
ASKED = Asked(b"127.0.0.1", b"c", b"s@example.net", (b"no@example.org", b"r@example.org"), b"Subject: x\n\n.body\n")
SPAM, DISCARDS, ACCEPTS = packed(b"y", b"554 5.7.1 Spam\0"), packed(b"d"), packed(b"a")
ADDS = packed(b"h", b"X-Seen\0yes\0") + packed(b"b", b"other\r\n") + packed(b"+", b"<t@example.org>\0")
#: Those of a connection, and packets that have no answer, which both sides send at any time.
_OF_CONNECTION = (b"O", b"C", b"D", b"A", b"Q", b"K")


class Service(NamedTuple):
    """A running service with a milter, and what its run script says of it."""

    gate: Gate
    backend: Scripted
    milter: ScriptedMilter
    settings: ServerSettings


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all."""
    folder = tmp_path_factory.mktemp("service")
    backend, file = Scripted(folder / "backend"), folder / "main.cf"
    with scripted_milter() as milter, pytest.MonkeyPatch.context() as patched:
        patched.setenv("DNSCACHEIP", "127.0.0.1@9")
        file.write_text(f"{MAIN_CF}smtpd_milters = {milter.service}\n")
        with gated(backend.argv, folder, file=file, variables={"DNSCACHEIP": "127.0.0.1@9"}) as gate:
            assert isinstance(gate.process.args, list)
            compiled_by_ours(b":allow\n", folder / "rules.cdb")
            (folder / "run").write_text(f"#!/bin/sh\nexec {shlex.join(map(str, gate.process.args))}\n")
            yield Service(gate, backend, milter, service_from.read(str(folder / "run")).settings)


@pytest.mark.parametrize(
    "says",
    [
        {},
        {b"C": ACCEPTS},
        {b"C": SPAM},
        {b"H": SPAM},
        {b"M": SPAM},
        {b"R": SPAM},
        {b"T": SPAM},
        {b"L": SPAM},
        {b"N": ACCEPTS},
        {b"E": ADDS + CONTINUE},
        {b"E": DISCARDS},
        {b"E": packed(b"q", b"virus\0") + CONTINUE},
        {b"O": optneg(actions=0, protocol=Protocol.NOBODY), b"E": SPAM},
        {b"B": CLOSES},  # the last: a milter that has failed is left alone for two seconds
    ],
    ids=lambda says: " ".join(f"{command.decode()}" for command in says) or "goes on",
)
def test_what_is_explained_of_milters_is_what_happens(service: Service, says: dict[bytes, bytes]) -> None:
    """Each reply, what the milter hears, and the message as the program gets it."""
    gate, backend, milter, settings = service
    milter.says = {b"O": optneg(), **says}
    found = way.explain(settings, ASKED)
    told = heard(milter)
    count = len(backend.visits())

    assert [unsaid(step.reply) for step in spoken(found)] == conversed(gate, ASKED, spoken(found))
    until(lambda: len(heard(milter, forget=False)) >= len(told), f"{told}")
    assert heard(milter) == told
    visits = backend.since(count)
    assert (found.environment is not None) == bool(visits)
    added = {line[1:].encode() for step in found.steps for line in step.found if line.startswith("+")}
    assert not added or added <= set(visits[-1].lines)


def heard(milter: ScriptedMilter, *, forget: bool = True) -> list[tuple[bytes, bytes]]:
    """What the milter has heard of commands and of messages."""
    found = [(one.command, one.data) for one in milter.heard if one.command not in _OF_CONNECTION]
    if forget:
        milter.heard = []
    return found
