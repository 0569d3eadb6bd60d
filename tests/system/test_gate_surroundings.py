"""What stands around a configuration that is checked."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import need_root
from ucspi_py.core.gate.check.reading import read
from ucspi_py.core.gate.language.syntax import option
from ucspi_py.system.gate.check import surroundings

ROUTES4 = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0
"""
_ANY, _HERE = "0" * 32, "fd00dead00000000" + "0" * 15 + "1"
ROUTES6 = f"""\
{_ANY} 00 {_ANY} 00 {_HERE} 00000400 00000001 00000000 00000003     eth0
fd00dead000000000000000000000000 40 {_ANY} 00 {_ANY} 00000100 00000001 00000000 00000001     eth0
{_ANY} 00 {_ANY} 00 {_ANY} ffffffff 00000001 00000000 00200200       lo
"""


@pytest.mark.parametrize("is_container", [True, False])
def test_the_gateways_are_those_of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_container: bool
) -> None:
    """Elsewhere a gateway is a router, behind which nobody hides."""
    (tmp_path / "route").write_text(ROUTES4)
    (tmp_path / "ipv6_route").write_text(ROUTES6)
    if is_container:
        (tmp_path / ".dockerenv").touch()
    monkeypatch.setattr(surroundings, "_MARKS", (str(tmp_path / ".dockerenv"),))
    monkeypatch.setattr(surroundings, "_ROUTES4", str(tmp_path / "route"))
    monkeypatch.setattr(surroundings, "_ROUTES6", str(tmp_path / "ipv6_route"))

    found = surroundings.of(read([])).gateways

    assert found == ((b"172.17.0.1", b"fd00:dead::1") if is_container else ())


def test_without_routes_there_is_no_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 may be off."""
    monkeypatch.setattr(surroundings, "_MARKS", (str(tmp_path),))
    for name in ("_ROUTES4", "_ROUTES6"):
        monkeypatch.setattr(surroundings, name, str(tmp_path / "missing"))

    assert surroundings.of(read([])).gateways == ()


@pytest.mark.parametrize(
    ("mode", "of_folder", "expected"),
    [
        (0o640, 0o750, (None, False)),
        (0o666, 0o750, (None, True)),
        (0o640, 0o777, (None, True)),
        (0o640, 0o1777, (None, False)),
        (None, 0o750, ("file does not exist", False)),
    ],
)
def test_the_rights_of_a_ledger(
    tmp_path: Path, mode: int | None, of_folder: int, expected: tuple[str | None, bool]
) -> None:
    """Whoever can put a file there can let anybody relay."""
    folder = tmp_path / "Relay"
    folder.mkdir()
    if mode is not None:
        (folder / "db").touch()
        (folder / "db").chmod(mode)
    folder.chmod(of_folder)

    found = surroundings.of(read([option(f"relay_store={folder}/db")]))

    assert (found.ledger, found.is_ledger_open) == expected


def test_a_ledger_on_a_server_has_no_file() -> None:
    """Nothing is looked at."""
    found = surroundings.of(read([option("relay_store=redis://h/0")]))

    assert (found.ledger, found.is_ledger_open) == (None, False)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def greylist(store: object, *more: str, uid: int | None = None) -> tuple[str, ...]:
    """What keeps a greylist from its work."""
    options = (f"smtpd_recipient_restrictions=reject_unauth_destination, check_greylist {store}", *more)
    return surroundings.of(read(map(option, options)), uid).greylist


def test_a_store_that_can_be_made_is_one(tmp_path: Path) -> None:
    """And nobody has made it by looking."""
    assert greylist(tmp_path / "db") == ()
    assert list(tmp_path.iterdir()) == []
    assert greylist("redis://h/0") == ()


def test_a_store_whose_folder_is_missing(tmp_path: Path) -> None:
    """While it is, nobody waits."""
    (said,) = greylist(tmp_path / "nowhere" / "db")

    assert said == f"nobody waits while {tmp_path}/nowhere/db cannot be written: file does not exist"


def test_a_store_that_the_workers_may_not_write(open_folder: Path) -> None:
    """Root could, and they are another user."""
    need_root()
    (open_folder / "db").touch()
    os.chown(open_folder, 1234, -1)

    (of_file,) = greylist(open_folder / "db", uid=1234)
    (of_folder,) = greylist(open_folder / "other", uid=1235)
    assert greylist(open_folder / "db") == ()
    assert of_file == f"nobody waits while {open_folder}/db cannot be written: access denied"
    assert of_folder == f"nobody waits while {open_folder}/other cannot be written: access denied"


def test_lines_of_whitelists_that_mean_nothing(tmp_path: Path) -> None:
    """Each with its place."""
    (tmp_path / "clients").write_text("example.net\n/(/\n")
    (missing, said) = greylist(
        tmp_path / "db",
        f"greylist_whitelist_clients={tmp_path}/clients",
        f"greylist_whitelist_recipients={tmp_path}/missing",
    )

    assert missing == f"unable to read {tmp_path}/missing: file does not exist"
    assert said.startswith(f"{tmp_path}/clients line 2: ")
