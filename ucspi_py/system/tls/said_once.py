"""What each process of a service finds out by itself, said by the first of them only."""

import struct
import zlib

from ..process.shared_memory import SharedMemory

_SUM = struct.Struct("=I")


class SaidOnce:
    """Remembers the last sentence of each topic, for all processes that are forked after it was made.

    topics: how many there are.
    """

    def __init__(self, topics: int) -> None:
        self._memory = SharedMemory(topics * _SUM.size)

    def is_new(self, topic: int, sentence: str) -> bool:
        """Whether a sentence is another one than the last of its topic; then it is the last now. topic: from 0."""
        number = zlib.crc32(sentence.encode("utf-8", "surrogateescape"))
        with self._memory as memory:
            (last,) = _SUM.unpack_from(memory, topic * _SUM.size)
            _SUM.pack_into(memory, topic * _SUM.size, number)
        return bool(number != last)
