"""qmail's control files, as they change under a running gate."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import need_root
from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.smtp.path import Path as Address
from ucspi_py.core.smtp.settings import Greeting
from ucspi_py.system.gate.control import Control
from ucspi_py.system.report.complaints import Complaints
from ucspi_py.system.rules import whole_file
from ucspi_py.system.rules.checked_cdb import CheckedWriter

SETTINGS = GateSettings()
JOE, JIM = Address(b"joe", b"ours.example"), Address(b"jim", b"ours.example")


class Host:
    """A control directory, a clock, and what was complained of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0
        self.complaints: list[str] = []
        self.control = Control(str(folder), Complaints(self.complaints.append, lambda: self.now), lambda: self.now)

    def write(self, name: str, data: bytes) -> Path:
        """Replace a file; a second is over then."""
        (self.folder / "new").write_bytes(data)
        (self.folder / "new").rename(self.folder / name)
        self.now += 1
        return self.folder / name

    def write_cdb(self, name: str, keys: Iterable[bytes]) -> Path:
        """Replace a cdb of keys without values."""
        with (self.folder / "new").open("wb") as file:
            writer = CheckedWriter(file)
            writer.put_all((key, b"") for key in keys)
            writer.finalize()
        return self.write(name, (self.folder / "new").read_bytes())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host with its name and one domain."""
    host = Host(tmp_path)
    host.write("me", b"mx.example\n")
    host.write("rcpthosts", b"ours.example\n")
    return host


def test_what_qmail_has_is_enough(host: Host) -> None:
    """A name and rcpthosts; nobody is unknown, and there is no limit."""
    host.control.check(SETTINGS)

    assert host.control.greeting(SETTINGS, {}) == Greeting(b"mx.example", b"mx.example ESMTP")
    assert (host.control.holds(b"ours.example"), host.control.holds(b"other.example")) == (True, False)
    assert host.control.knows(JIM) is True
    assert host.complaints == []


def test_every_file_counts(host: Host) -> None:
    """And the environment of a client over databytes."""
    host.write("smtpgreeting", b"front.example\n")
    host.write("databytes", b"5000\n")
    host.write_cdb("morercpthosts.cdb", [b"more.example", b".below.example"])
    host.write_cdb("validrcptto.cdb", [b"joe@ours.example"])

    assert host.control.greeting(SETTINGS, {}) == Greeting(b"mx.example", b"front.example ESMTP", 5000)
    assert host.control.greeting(SETTINGS, {b"DATABYTES": b"7"}).size == 7
    asked = (b"more.example", b"a.below.example", b"below.example")
    assert [host.control.holds(domain) for domain in asked] == [True, True, False]
    assert (host.control.knows(JOE), host.control.knows(JIM)) == (True, False)


def test_a_name_of_ones_own_needs_no_file(host: Host) -> None:
    """myhostname stands over control/me."""
    (host.folder / "me").unlink()
    settings = GateSettings(myhostname=b"front.example")

    host.control.check(settings)

    assert host.control.greeting(settings, {}).banner == b"front.example ESMTP"


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"\n")], ids=["missing", "empty"])
def test_without_a_name_there_is_no_start(spoil: Callable[[Path], object], host: Host) -> None:
    """It says where one could stand."""
    spoil(host.folder / "me")

    with pytest.raises(AskedWrongly, match=f"^myhostname is not set, and {host.folder}/me does not say our name$"):
        host.control.check(SETTINGS)


def test_without_rcpthosts_nobody_can_be_told(host: Host) -> None:
    """At the start it is complained of, and once a minute, not for each recipient."""
    (host.folder / "rcpthosts").unlink()
    host.control.check(SETTINGS)

    for _ in range(100):
        assert host.control.holds(b"ours.example") is None
        host.now += 1

    sentence = f"unable to read {host.folder}/rcpthosts: file does not exist, recipients are refused for now"
    assert host.complaints == [sentence] * 2


def test_an_empty_rcpthosts_holds_nothing(host: Host) -> None:
    """It is there, and says so."""
    host.write("rcpthosts", b"")

    assert host.control.holds(b"ours.example") is False


def _unreadable(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path)


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _endless(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def _short(path: Path) -> None:
    path.write_bytes(b"x" * 100)


MISFORTUNES: list[tuple[str, Callable[[Path], None], str]] = [
    ("rcpthosts", _unreadable, "symbolic link loop"),
    ("rcpthosts", _fifo, "not a regular file"),
    ("rcpthosts", _folder, "is a directory"),
    ("rcpthosts", _endless, "not a regular file"),
    ("morercpthosts.cdb", _short, "file is too short"),
    ("morercpthosts.cdb", _unreadable, "symbolic link loop"),
    ("validrcptto.cdb", _short, "file is too short"),
    ("validrcptto.cdb", _fifo, "not a regular file"),
]


@pytest.mark.parametrize(("name", "strike", "reason"), MISFORTUNES)
def test_a_file_that_cannot_be_read(
    name: str, strike: Callable[[Path], None], reason: str, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is told by it, now and later, until it is back; what it said before does not count."""
    monkeypatch.setattr(whole_file, "_TICK", 0.0)

    def told() -> bool | None:
        return host.control.knows(JOE) if name == "validrcptto.cdb" else host.control.holds(b"other.example")

    told()
    strike(host.folder / name)
    for _ in range(3):
        host.now += 1
        assert told() is None
    assert host.complaints == [f"unable to read {host.folder}/{name}: {reason}, recipients are refused for now"]

    if (host.folder / name).is_dir():
        (host.folder / name).rmdir()
    host.write("rcpthosts", b"ours.example\nother.example\n")
    for cdb in ("morercpthosts.cdb", "validrcptto.cdb"):
        host.write_cdb(cdb, [b"joe@ours.example"])
    assert told() is True


def test_what_rcpthosts_has_needs_no_other_file(host: Host) -> None:
    """So a damaged morercpthosts.cdb keeps the mail of other domains only."""
    _short(host.folder / "morercpthosts.cdb")

    assert host.control.holds(b"ours.example") is True
    assert host.control.holds(b"other.example") is None
    assert len(host.complaints) == 1


def test_a_record_that_is_damaged(host: Host) -> None:
    """Only who meets it hears of it."""
    whole = host.write_cdb("morercpthosts.cdb", [b"more.example"]).read_bytes()
    host.write("morercpthosts.cdb", whole.replace(b"\x0c\0\0\0\0\0\0\0more", b"\x0c\0\0\0\xff\xff\xff\0more"))

    assert host.control.holds(b"other.example") is False
    assert host.control.holds(b"more.example") is None
    assert "morercpthosts.cdb: a record is cut short" in host.complaints[0]


def test_nobody_but_root_may_read_it(host: Host) -> None:
    """A file that is closed to us is no file that is missing."""
    need_root()
    path = host.write_cdb("validrcptto.cdb", [b"joe@ours.example"])
    path.chmod(0)
    host.folder.chmod(0o755)
    for parent in host.folder.parents[:2]:
        parent.chmod(0o755)
    found: list[bool | None] = []

    def ask() -> None:
        os.seteuid(65534)
        try:
            found.append(host.control.knows(JOE))
        finally:
            os.seteuid(0)

    ask()

    assert found == [None]
    assert "validrcptto.cdb: access denied" in host.complaints[0]


def test_a_change_counts_within_a_second(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no file is looked at more often than once in it."""
    looks: list[str] = []
    exact = os.stat

    def look(path: Any, **others: Any) -> os.stat_result:
        looks.append(str(path))
        return exact(path, **others)

    monkeypatch.setattr(os, "stat", look)
    assert host.control.holds(b"new.example") is False
    host.write("rcpthosts", b"new.example\n")
    host.now -= 0.01

    for _ in range(100):
        assert host.control.holds(b"new.example") is False
    assert len(looks) == len(set(looks))

    host.now += 0.01
    assert host.control.holds(b"new.example") is True


def test_a_file_that_comes_and_goes(host: Host) -> None:
    """validrcptto.cdb may be made later, and removed."""
    assert host.control.knows(JIM) is True
    path = host.write_cdb("validrcptto.cdb", [b"joe@ours.example"])
    assert host.control.knows(JIM) is False
    path.unlink()
    host.now += 1
    assert host.control.knows(JIM) is True


def test_control_me_that_cannot_be_read_is_a_failure(host: Host) -> None:
    """Later, too: nobody is greeted by a name that may be another's."""
    _unreadable(host.folder / "me")

    with pytest.raises(Failure, match=f"^unable to read {host.folder}/me: symbolic link loop$"):
        host.control.greeting(SETTINGS, {})
