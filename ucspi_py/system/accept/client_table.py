"""What is counted by client, in a table in memory that all workers share. Never decides what is counted.

Of fixed size: where more clients come than it has places for, some are forgotten.
"""

import struct
from collections.abc import Callable
from typing import TypeVar

from ..process.shared_memory import SharedMemory

#: Places that a client may stand in, as in a set-associative cache: a search that never gets longer.
_WAYS = 4

Fields = tuple[int, ...]
_Found = TypeVar("_Found")


class ClientTable:
    """Entries of clients.

    layout: of one entry; all zero, it is free. places: clients that the table has room for, a multiple of 4.
    """

    def __init__(self, layout: struct.Struct, places: int) -> None:
        self._layout = layout
        self._sets = places // _WAYS
        self._table = SharedMemory(places * layout.size)

    def change(self, client: int, change: Callable[[list[Fields]], tuple[int, Fields, _Found]]) -> _Found:
        """Change the entry of a client; what is found out meanwhile.

        client: its key. change: takes the entries where the client may stand, gives the index of the one that becomes
        its own, what is to stand there, and what is found out.
        """
        size = self._layout.size
        # hash() is salted anew at every start, and the same in all workers, which were forked after that.
        first = hash(b"%d" % client) % self._sets * _WAYS * size
        with self._table as memory:
            place, entry, found = change(list(self._layout.iter_unpack(memory[first : first + _WAYS * size])))
            self._layout.pack_into(memory, first + place * size, *entry)
        return found
