"""Which orphan is the program that a dead worker was starting: pure, so every case is one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.service.adoption import Announcement, Orphan, started_program

ANNOUNCED = Announcement(socket=77, since=1000)


def seen(pid: int, started: int, *sockets: int) -> Orphan:
    """An orphan whose descriptors we may look at."""
    return Orphan(pid, started, frozenset(sockets))


def unseen(pid: int, started: int) -> Orphan:
    """An orphan that runs an unreadable file."""
    return Orphan(pid, started, None)


@pytest.mark.parametrize(
    ("orphans", "adopted"),
    [
        ((), None),
        ((seen(5, 1000, 77),), 5),
        ((seen(5, 999, 77),), None),
        ((seen(5, 1001, 78),), None),
        ((seen(5, 1001),), None),
        ((unseen(5, 1000),), 5),
        ((unseen(5, 999),), None),
        ((unseen(4, 1000), seen(5, 1001, 77)), 5),
        ((seen(6, 1001, 77), seen(5, 1002, 77)), 6),
        ((seen(6, 1001, 77), seen(5, 1001, 77)), 5),
        ((unseen(5, 1002), unseen(6, 1001)), 6),
    ],
)
def test_the_program_has_the_clients_socket_and_is_the_oldest_since(
    orphans: tuple[Orphan, ...], adopted: int | None
) -> None:
    """Older ones, and those with another socket or none, are never it; one that cannot be seen is the second choice."""
    assert started_program(ANNOUNCED, orphans) == adopted


_ORPHANS = st.lists(
    st.builds(
        Orphan,
        pid=st.integers(1, 99),
        started=st.integers(995, 1005),
        sockets=st.none() | st.frozensets(st.sampled_from((0, 76, 77)), max_size=2),
    ),
    unique_by=lambda orphan: orphan.pid,
)


@given(_ORPHANS)
def test_strays_change_nothing(orphans: list[Orphan]) -> None:
    """Whatever else has come to the master, the program is found; without it no visible stray is taken for it."""
    strays = [o for o in orphans if o.sockets is None or 77 not in o.sockets or o.started < 1000]
    program = seen(100, 1000, 77)
    assert started_program(ANNOUNCED, [*strays, program]) == 100
    visible = [o for o in strays if o.sockets is not None]
    assert started_program(ANNOUNCED, visible) is None
