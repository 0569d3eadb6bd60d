"""Ids of connections: none is ever had twice, and readers of Postfix's log take them for process ids."""

import os
from itertools import islice

from tests.support.forked import in_child
from ucspi_py.system.report.connection_ids import connection_ids


def test_one_process_has_no_id_twice() -> None:
    """However many clients come within a second; all are digits."""
    ids = list(islice(connection_ids(), 100_000))

    assert len(set(ids)) == 100_000
    assert all(one.isdigit() and len(one) <= 23 for one in ids)


def test_another_process_has_other_ids() -> None:
    """Of the same second, too."""
    read, write = os.pipe()
    for _ in range(3):
        in_child(lambda: os.write(write, b"%b\n" % next(connection_ids())))
    os.close(write)
    with open(read, "rb") as pipe:
        ids = [next(connection_ids()), *pipe.read().split()]

    assert len({one[:17] for one in ids}) == 4
