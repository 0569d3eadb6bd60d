"""pyrelay's commands: grants as an operator gives, sees and ends them, and takes over those of other programs."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.in_process import Command, command_of
from tests.support.redisserver import store_of
from tests.support.relay import RELAY, grant
from tests.support.waiting import until
from ucspi_py.cli.chain import program
from ucspi_py.cli.relay import commands
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.ledger.importers import File, Known, Unread, open_smtp, relay_ctrl
from ucspi_py.core.ledger.settings import RelaySettings

LOGIN = 1_800_000_000


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A ledger of each kind that nobody has used."""
    with store_of(request.param, tmp_path / "db") as kept:
        yield kept


@pytest.fixture
def pyrelay(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs a command of pyrelay in this process."""
    return command_of("pyrelay", commands.main, monkeypatch, capfdbinary)


def listed(pyrelay: Command, store: str, *words: str) -> dict[str, list[str]]:
    """Whose grants there are, by address."""
    done = pyrelay("list", "-s", store, "--json", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    users: dict[str, list[str]] = {}
    for one in json.loads(done.stdout):
        users.setdefault(one["address"], []).append(one["user"])
    return users


def test_granted_listed_and_revoked(pyrelay: Command, store: str) -> None:
    """By address, by network and by user."""
    options = ("grant", "-s", store, "--user")
    assert pyrelay(*options, "joe@example.org", "-t", 3600, "192.0.2.7").stdout == b"granted 192.0.2.7\n"
    assert pyrelay(*options, "ann", "192.0.2.7").stdout == b"granted 192.0.2.7\n"
    assert pyrelay(*options, "joe@example.org", "2001:db8::1").stdout == b"granted 2001:db8::/64\n"
    assert pyrelay(*options, "eve", "--v6", 128, "2001:db8:1::9").stdout == b"granted 2001:db8:1::9\n"

    everybody = listed(pyrelay, store)
    assert everybody == {
        "192.0.2.7": ["joe@example.org", "ann"],
        "2001:db8::/64": ["joe@example.org"],
        "2001:db8:1::9": ["eve"],
    }
    assert listed(pyrelay, store, "192.0.2.0/24") == {"192.0.2.7": ["joe@example.org", "ann"]}
    assert listed(pyrelay, store, "2001:db8::77") == {"2001:db8::/64": ["joe@example.org"]}
    assert listed(pyrelay, store, "--user", "ann") == {"192.0.2.7": ["ann"]}

    assert pyrelay("revoke", "-s", store, "--user", "joe@example.org", "192.0.2.7").stdout == b"revoked 1\n"
    assert listed(pyrelay, store, "192.0.2.7") == {"192.0.2.7": ["ann"]}
    assert pyrelay("revoke", "-s", store, "2001:db8::/32").stdout == b"revoked 2\n"
    assert pyrelay("revoke", "-s", store, "--user", "ann").stdout == b"revoked 1\n"
    assert listed(pyrelay, store) == {}
    nothing = pyrelay("revoke", "-s", store, "192.0.2.7")
    assert (nothing.returncode, nothing.stdout) == (1, b"revoked 0\n")


def test_as_it_is_installed(tmp_path: Path) -> None:
    """By its launcher."""
    words = ("grant", "-s", str(tmp_path / "db"), "192.0.2.7")

    done = subprocess.run([RELAY, *words], capture_output=True, check=True, stdin=subprocess.DEVNULL)

    assert (done.stdout, done.stderr) == (b"granted 192.0.2.7\n", b"")


def test_the_list_for_people(pyrelay: Command, tmp_path: Path) -> None:
    """A line for each grant: what it is, since when, until when."""
    store = str(tmp_path / "db")
    words = ("--user", "joe", "--relayclient", "@fixup", "--channel", "roaming", "-t", "90000", "192.0.2.7")
    pyrelay("grant", "-s", store, *words)

    heads, line = pyrelay("list", "-s", store).stdout.decode().splitlines()

    assert heads.split("  ")[0] == "address"
    assert line.split()[:5] == ["192.0.2.7", "joe", "hand", f"{os.getuid()}@{os.uname().nodename}", "1"]
    assert line.split()[-2:] == ["@fixup", "roaming"]
    assert " in 900" in line or " in 89" in line


def test_an_expired_grant_is_not_listed(pyrelay: Command, tmp_path: Path) -> None:
    """Though it may be there until it is swept away."""
    store = str(tmp_path / "db")
    grant(store, "192.0.2.8")
    grant(store, "192.0.2.7", seconds=1)

    until(lambda: listed(pyrelay, store) == {"192.0.2.8": ["joe"]}, "the end of a grant")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("10.1.2.3",), b"10.1.2.3 is private, or shared by the customers of a carrier"),
        (("--refuse", "192.0.2.0/24", "192.0.2.7"), b"192.0.2.7 is in a network that gets no grant"),
        (("--user", "a\nb", "192.0.2.7"), b"a name or a value has more than 320 bytes, or a control character"),
    ],
)
def test_what_is_not_granted(pyrelay: Command, tmp_path: Path, words: tuple[str, ...], sentence: bytes) -> None:
    """It is said why, and the exit code is 1."""
    done = pyrelay("grant", "-s", tmp_path / "db", *words)

    assert (done.returncode, done.stderr) == (1, b"relay: not granted: " + sentence + b"\n")


def test_private_addresses_by_order(pyrelay: Command, tmp_path: Path) -> None:
    """--private says that they are known here."""
    assert pyrelay("grant", "-s", tmp_path / "db", "--private", "10.1.2.3").returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("grant", "-s", "db", "here"), b"here is no address"),
        (("grant", "-s", "db", "--v6", "56", "192.0.2.7"), b"--v6 takes 64 or 128"),
        (("grant", "-s", "db", "--refuse", "x", "192.0.2.7"), b"--refuse x is no address and no network"),
        (("revoke", "-s", "db"), b"an ADDRESS or network is needed, or --user"),
        (("list", "-s", "db", "x"), b"x is no address and no network"),
        (("list", "-s", "redis://h/abc"), b"the database abc is no number"),
    ],
)
def test_asked_wrongly(pyrelay: Command, words: tuple[str, ...], sentence: bytes) -> None:
    """Exit 100, before anything is made."""
    done = pyrelay(*words)

    assert done.returncode == 100
    assert sentence in done.stderr


@pytest.mark.parametrize("command", [("list",), ("revoke", "192.0.2.7")])
def test_a_ledger_that_is_not_there(pyrelay: Command, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Whoever looks, or ends something, makes none."""
    done = pyrelay(command[0], "-s", tmp_path / "db", *command[1:])

    assert (done.returncode, list(tmp_path.iterdir())) == (111, [])
    assert b"relay: fatal: unable to use" in done.stderr


def test_import_from_vpopmail(pyrelay: Command, tmp_path: Path) -> None:
    """Its lines as grants that end when they would have ended there; what is no grant is named."""
    store, now = str(tmp_path / "db"), int(time.time())
    lines = [
        f'192.0.2.7:allow,RELAYCLIENT="",RBLSMTPD=""\t{now - 100}',
        f'192.0.2.8:allow,RELAYCLIENT="",RBLSMTPD=""\t{now - 10_801}',
        f'10.1.2.3:allow,RELAYCLIENT="",RBLSMTPD=""\t{now}',
        f'192.0.2.9:allow,RELAYCLIENT="",RBLSMTPD=""\t{now + 9999}',
        ":allow",
    ]
    (tmp_path / "open-smtp").write_text("\n".join(lines) + "\n")

    done = pyrelay("import", "-s", store, "vpopmail", tmp_path / "open-smtp")

    assert (done.returncode, done.stdout) == (1, b"imported 1 of 5, 1 have expired\n")
    assert done.stderr.decode().splitlines() == [
        "relay: not imported: line 5: :allow is no grant",
        "relay: not imported: 10.1.2.3 is private, or shared by the customers of a carrier",
        "relay: not imported: 192.0.2.9: its login is of the future",
    ]
    (one,) = json.loads(pyrelay("list", "-s", store, "--json").stdout)
    assert (one["address"], one["how"]) == ("192.0.2.7", "import")
    assert abs(one["expires"] - (now - 100 + 10_800)) <= 5


def test_import_from_relay_ctrl(pyrelay: Command, tmp_path: Path) -> None:
    """Its files, by their times; of what stands in them USER and DOMAIN alone."""
    store, now = str(tmp_path / "db"), time.time()
    folder = tmp_path / "allow"
    folder.mkdir()
    for name, age in {"192.0.2.7": 100, "192.0.2.8": 901, ".1700000000.1:77": 0}.items():
        (folder / name).write_bytes(b"USER=joe\0DOMAIN=example.org\0LD_PRELOAD=/tmp/evil.so\0")
        os.utime(folder / name, (now - age, now - age))
    (folder / "192.0.2.9").symlink_to("/etc/passwd")
    os.mkfifo(folder / "192.0.2.10")

    done = pyrelay("import", "-s", store, "relay-ctrl", folder)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"imported 1 of 2, 1 have expired\n", b"")
    assert listed(pyrelay, store) == {"192.0.2.7": ["joe@example.org"]}


def test_what_is_read_of_open_smtp() -> None:
    """Whatever else may stand there, IPv6 too, which vpopmail itself divides at the first colon."""
    known, unread = open_smtp(b'2001:db8::1:allow,RELAYCLIENT="@x"\t%d\n192.0.2.999:allow,RELAYCLIENT=""\t1\n' % LOGIN)

    assert [(str(one.ip), one.login, one.relayclient) for one in known] == [("2001:db8::1", LOGIN, b"@x")]
    assert unread == [Unread("line 2", '192.0.2.999:allow,RELAYCLIENT=""\\t1')]


def test_what_is_read_of_relay_ctrl() -> None:
    """A file named by anything but an address is none."""
    known, unread = relay_ctrl([File(b"192.0.2.7", LOGIN, b"USER=joe@x\0DOMAIN=y\0"), File(b"README", LOGIN, b"")])

    assert known == [Known(known[0].ip, LOGIN, b"joe@x")]
    assert unread == [Unread("directory", "README")]


def test_check_is_a_screen_of_ours() -> None:
    """By its name and its command; any other command is a program like others."""
    read = program.read(["pyrelay", "check", "-s", "db", "pygreylist", "-s", "g", "smtpd", "x"])

    assert [screen.log_name for screen in read.screens] == [b"relay", b"greylist"]
    assert read.argv == ("smtpd", "x")
    assert program.read(["pyrelay", "allow", "x"]).argv == ("pyrelay", "allow", "x")
    assert program.read([RELAY, "check", "-s", "db", "smtpd"]).screens == (RelaySettings("db"),)


def test_a_gate_asks_its_ledger_first() -> None:
    """Before all screens, so that they spare whoever has a grant; not about clients in mynetworks."""
    read = program.read(["pygreylist", "-s", "g", "pysmtpgate", "-o", "relay_store=db", "smtpd"])

    assert [screen.log_name for screen in read.screens] == [b"relay", b"greylist"]
    assert read.gate is not None
    assert read.screens[0] == RelaySettings("db", read.gate.mynetworks)


@pytest.mark.parametrize("store", ["", "redis://user:secret@h/abc"])
def test_a_store_that_is_none(store: str) -> None:
    """It is refused when the gate starts, and no password is repeated."""
    with pytest.raises(AskedWrongly, match="relay_store") as wrong:
        program.read(["pysmtpgate", "-o", f"relay_store={store}", "smtpd"])

    assert "secret" not in wrong.value.sentence
