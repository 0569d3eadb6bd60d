"""Which name servers are asked now: resolv.conf is looked at by stat, at most once a second."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ucspi_py.core.dns.servers import LOCAL, Server
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.system.lookup.server_list import ServerList

#: Of different lengths: two changes within one tick of the file system's clock may have one time.
ONE, TWO = (Server("192.0.2.1"),), (Server("192.0.2.22"),)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A resolv.conf that names ONE."""
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 192.0.2.1\n")
    return file


@pytest.fixture
def seconds() -> Iterator[float]:
    """Monotonic seconds, each far enough from the last for another look."""
    return map(float, count(1000, 10))


def test_what_is_written_into_resolv_conf_counts_from_then_on(file: Path, seconds: Iterator[float]) -> None:
    """In place, by rename, and back."""
    servers = ServerList("", str(file))
    assert servers.current(next(seconds)) == ONE

    file.write_text("nameserver 192.0.2.22\n")
    assert servers.current(next(seconds)) == TWO
    other = file.with_suffix(".new")
    other.write_text("nameserver 192.0.2.1\n")
    other.rename(file)
    assert servers.current(next(seconds)) == ONE


@pytest.mark.parametrize("at_the_start", [None, "", "# filled by dhclient\n"])
def test_a_file_that_is_filled_after_the_start(
    at_the_start: str | None, tmp_path: Path, seconds: Iterator[float]
) -> None:
    """A server that starts before the network asks this machine only until then."""
    file = tmp_path / "resolv.conf"
    if at_the_start is not None:
        file.write_text(at_the_start)
    servers = ServerList("", str(file))
    assert servers.current(next(seconds)) == LOCAL

    file.write_text("nameserver 192.0.2.22\n")

    assert servers.current(next(seconds)) == TWO


def test_a_file_that_is_removed_means_this_machine(file: Path, seconds: Iterator[float]) -> None:
    """dns_rcip.c."""
    servers = ServerList("", str(file))

    file.unlink()

    assert servers.current(next(seconds)) == LOCAL


def test_a_file_that_cannot_be_read_says_nothing_new(
    file: Path, seconds: Iterator[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read by root at the start (umask 077), it stays known when root is given up; the same without descriptors."""
    servers = ServerList("", str(file))
    file.write_text("nameserver 192.0.2.22\n")

    def refused(*_words: object, **_options: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refused)
        assert servers.current(next(seconds)) == ONE

    assert servers.current(next(seconds)) == TWO


def test_the_file_is_looked_at_once_a_second_at_most(file: Path) -> None:
    """However many questions come; and what is unchanged is the same object."""
    servers = ServerList("", str(file))
    first = servers.current(1000.0)
    file.write_text("nameserver 192.0.2.22\n")

    assert servers.current(1000.9) is first
    assert servers.current(1001.0) == TWO


def test_the_variable_goes_before_the_file(file: Path) -> None:
    """$DNSCACHEIP, as in C; an empty one says nothing."""
    assert ServerList("192.0.2.9", str(file)).current(1000.0) == (Server("192.0.2.9"),)
    assert ServerList(" ", str(file)).current(1000.0) == ONE


def test_a_variable_that_means_nothing_is_no_reason_to_ask_others(file: Path) -> None:
    """It is wrong from the start, and not for every client."""
    with pytest.raises(AskedWrongly, match="'localhost' is no name server"):
        ServerList("localhost", str(file))
