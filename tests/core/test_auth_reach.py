"""Who may connect to a socket, by the modes of its folders and its own."""

import pytest

from ucspi_py.core.auth.reach import Need, Step, Who, barrier, missing_group

ROOT = Step("/", 0, 0, 0o40755, Need.SEARCH)
WORKER = Who(1000, frozenset((100,)))


def folder(mode: int, owner: int = 0, group: int = 45) -> Step:
    """A folder of root's and sasl's."""
    return Step("/run/saslauthd", owner, group, 0o40000 | mode, Need.SEARCH)


def end(mode: int, group: int = 45) -> Step:
    """The socket."""
    return Step("/run/saslauthd/mux", 0, group, 0o140000 | mode, Need.WRITE)


def test_a_way_that_is_open_to_all_is_free() -> None:
    """Nobody needs a group."""
    assert barrier([ROOT, folder(0o755), end(0o777)], WORKER) is None


@pytest.mark.parametrize("mode", [0o710, 0o750])
def test_debians_folder_is_for_a_group(mode: int) -> None:
    """sasl's, and whoever is in it."""
    way = [ROOT, folder(mode), end(0o777)]

    assert barrier(way, WORKER) == way[1]
    assert missing_group(way[1], WORKER) == 45
    assert barrier(way, WORKER._replace(groups=frozenset((100, 45)))) is None


def test_to_search_a_folder_is_not_to_list_it() -> None:
    """Bit 1, and not bit 4."""
    assert barrier([folder(0o744)], WORKER) == folder(0o744)


def test_a_socket_wants_to_be_written() -> None:
    """Bit 2."""
    assert barrier([end(0o755)], WORKER) == end(0o755)
    assert missing_group(end(0o775), WORKER) == 45


def test_nobody_is_to_join_roots_group() -> None:
    """Too much hangs on it."""
    assert missing_group(end(0o770, group=0), WORKER) is None


def test_no_group_helps_where_none_may() -> None:
    """Postfix's own folder for sockets, private, is its user's alone."""
    assert missing_group(folder(0o700), WORKER) is None


def test_an_owner_has_the_owners_bits_and_no_others() -> None:
    """path_resolution(7)."""
    step = folder(0o077, owner=1000)

    assert barrier([step], WORKER) == step
    assert missing_group(step, WORKER) is None


def test_an_owner_may_what_is_the_owners_alone() -> None:
    """Bit 64, and not bit 128."""
    assert barrier([folder(0o100, owner=1000)], WORKER) is None
    assert barrier([folder(0o200, owner=1000)], WORKER) is not None


def test_a_group_has_the_groups_bits_and_no_others() -> None:
    """Whatever others may."""
    assert barrier([folder(0o707, group=100)], WORKER) is not None


def test_root_may() -> None:
    """Always."""
    assert barrier([folder(0), end(0)], Who(0, frozenset())) is None
