"""Ids of connections, for the log and for backends. Never says what they are of."""

import itertools
import os
import time
from collections.abc import Iterator


def connection_ids() -> Iterator[bytes]:
    """Yield ids that no other process and no later one yields, without end.

    Digits: ten of the second in which this was called, seven of the process id, and the number of the connection.
    Apache's mod_unique_id is made of the same. They stand where readers of Postfix's log look for a process id.
    """
    process = b"%010d%07d" % (time.time(), os.getpid())
    return (b"%b%d" % (process, number) for number in itertools.count(1))
