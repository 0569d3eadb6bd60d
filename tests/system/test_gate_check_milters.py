"""Milters as --check sees them: why one is of no use, and for how long it is waited for."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.milter import CLOSES, SILENT, ScriptedMilter, optneg, scripted_milter
from ucspi_py.core.gate.check.reading import read
from ucspi_py.core.gate.check.subject import Subject, Surroundings
from ucspi_py.core.gate.language.syntax import settings
from ucspi_py.core.gate.milter.check.seen import Answers, Seen, Unusable
from ucspi_py.system.gate.check import milters


@pytest.fixture
def milter() -> Iterator[ScriptedMilter]:
    """A milter."""
    with scripted_milter() as found:
        yield found


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """None has to be asked."""
    monkeypatch.setenv("DNSCACHEIP", "127.0.0.1@9")


def seen(services: str, folder: Path, *lines: str) -> dict[str, Seen]:
    """What is seen of milters, by their words."""
    text = "\n".join((f"smtpd_milters = {services}", f"queue_directory = {folder}", *lines, ""))
    subject = Subject(read(settings("main.cf", text)), Surroundings())
    return {str(milter): found for milter, found in milters.seen(subject, None, None).items()}


def why(found: Seen) -> Unusable:
    """Of one that is of no use."""
    assert isinstance(found, Unusable)
    return found


def test_a_socket_that_a_postfix_in_a_chroot_finds(tmp_path: Path) -> None:
    """The path of such a file begins in the queue directory."""
    with scripted_milter(tmp_path / "milter"):
        found = why(seen("unix:/milter", tmp_path)["unix:/milter"])

    assert (found.errno, found.inside) == (errno.ENOENT, True)
    assert not why(seen("unix:/milter", tmp_path / "none")["unix:/milter"]).inside


def test_the_milters_of_a_table_are_asked_too(tmp_path: Path, milter: ScriptedMilter) -> None:
    """Whoever hears some clients alone."""
    found = seen("", tmp_path, f"smtpd_milter_maps = inline:{{192.0.2.1={milter.service}, 192.0.2.2=DISABLE}}")

    assert isinstance(found.pop(milter.service), Answers)
    assert found == {}


def test_milters_that_hang_are_waited_for_at_once(
    tmp_path: Path, milter: ScriptedMilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one limit for all; what the others say is heard."""
    monkeypatch.setattr(milters, "_PATIENCE", 0.6)
    milter.says[b"O"] = SILENT
    with scripted_milter() as other, scripted_milter(tmp_path / "well"):
        other.says[b"O"] = optneg()[:-1]
        found = seen(f"{milter.service} {other.service} unix:well", tmp_path)

    assert [why(found[one.service]).sentence for one in (milter, other)] == ["it said nothing for 1 seconds"] * 2
    assert isinstance(found["unix:well"], Answers)


def test_a_milter_has_no_more_time_than_the_server_gives_it(
    tmp_path: Path, milter: ScriptedMilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less than the patience of a check."""
    monkeypatch.setattr(milters, "_PATIENCE", 1.6)
    milter.says[b"O"] = SILENT
    found = seen(f"{{ {milter.service}, command_timeout=1s }}", tmp_path)

    assert why(found[milter.service]).sentence == "it said nothing for 1 seconds"


@pytest.mark.parametrize(
    ("said", "offered", "expected"),
    [
        (CLOSES, 6, Unusable("it has closed the connection")),
        (optneg(6), 2, Unusable("it speaks version 6, and was offered 2", version=6)),
        (optneg(4), 3, Unusable("it speaks version 4, and was offered 3", version=6)),
        (b"\0\0\0\0", 6, Unusable("it sent a packet of 0 bytes")),
    ],
)
def test_a_milter_that_is_not_understood(
    tmp_path: Path, milter: ScriptedMilter, said: bytes, offered: int, expected: Unusable
) -> None:
    """Where it takes another version of the protocol, that is found."""
    milter.says[b"O"] = said
    found = seen(milter.service, tmp_path, f"milter_protocol = {offered}")

    assert found[milter.service] == expected
