"""What content checks ask, and what they have to say. Never decides either."""

from typing import NamedTuple

from ...smtp.reply import reply
from .settings import Maps

HEADER, BODY = b"header", b"body"
MIME_ERROR = b"mime-error MIME nesting exceeds safety limit:"

#: What a client is told where a table cannot be asked.
UNCHECKED = reply(451, b"4.3.0 Error: unable to check the message, try again later")
TOO_DEEP = reply(550, b"5.6.0 MIME nesting exceeds safety limit")


class Lookup(NamedTuple):
    """A key that is to be looked up as a whole. maps: in their order, until one has a value."""

    maps: Maps
    key: bytes


class Note(NamedTuple):
    """A line for the log. action: ``reject``, ``warning`` and so on. part: HEADER, BODY or MIME_ERROR.

    content: what it is about, as the client sent it. text: what the table has to say; may be empty.
    """

    action: bytes
    part: bytes
    content: bytes
    text: bytes
