"""What comes in bulk through TLS: received and deciphered in small pieces, and handed on as a large one.

To hand a piece on costs as much as to decipher it. The pieces are small as OpenSSL cannot be stopped in one: of nothing
but new keys (KeyUpdate), each may take ten milliseconds.
"""

import socket
import time

from .session import TlsSession

#: Bytes that are handed on at once, at most.
BULK = 65536
#: Bytes of a client that are received and fed at once.
AT_ONCE = 16384
#: Bytes that may have to be read then: OpenSSL has kept what it had of a record, which may have as many.
MOST = 2 * AT_ONCE
#: Seconds after which nothing more is received in this turn of the loop.
_TURN = 0.005


def with_more(session: TlsSession, said: bytes) -> bytes:
    """Put what follows now behind what a client has said, 64 KB in all at most.

    What ends it, its last word or an error, is told by the next session.read() again.
    """
    until = time.monotonic() + _TURN
    pieces, room = [said], BULK - len(said)
    while room >= MOST and time.monotonic() < until:
        try:
            session.feed(session.socket.recv(AT_ONCE, socket.MSG_DONTWAIT))
            more = session.read(MOST)
        except OSError:
            break  # nothing has come, or it is found out again
        if not more:
            break
        pieces.append(more)
        room -= len(more)
    return b"".join(pieces)
