"""EHLO's keywords: those that we announce, and those that a backend does (RFC 5321, 4.1.1.1)."""

from functools import lru_cache

from .reply import Reply
from .settings import Greeting


@lru_cache(maxsize=64)
def ehlo_reply(greeting: Greeting, smtputf8: bool, offered: tuple[bytes, ...] = ()) -> bytes:
    """Make the reply to EHLO. smtputf8: whether SMTPUTF8 is announced. offered: more keywords; they are never last.

    Never what the backend must do and may not: CHUNKING, DSN, ETRN. Nor ENHANCEDSTATUSCODES: qmail's replies have none.
    """
    size = b"SIZE %d" % greeting.size if greeting.size else b"SIZE"
    utf8 = (b"SMTPUTF8",) if smtputf8 else ()
    return Reply(250, (greeting.myhostname, b"PIPELINING", size, *offered, b"8BITMIME", *utf8)).wire


def keywords(reply: Reply) -> dict[bytes, bytes]:
    """Read a backend's reply to EHLO -> its keywords in capitals, each with its parameters, b"" where there are none.

    A line that is no keyword is passed over, as are those of a reply that is no 250.
    """
    if reply.code != 250:
        return {}
    announced: dict[bytes, bytes] = {}
    for text in reply.texts[1:]:
        keyword, _, parameters = text.strip().partition(b" ")
        if keyword:
            announced[keyword.upper()] = parameters.strip()
    return announced
