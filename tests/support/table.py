"""Name servers that are a table: the one way to ask, without a network behind it."""

import asyncio
from collections.abc import Mapping

from ucspi_py.core.dns.message import TXT, A, Absent, Answer, AnswerCallback, Failed, Found

Key = tuple[bytes, int]

SILENCE = Failed("timed out")


class Table:
    """answers: by name and type, of a name that ends so; what is not there does not exist. asked: questions so far."""

    def __init__(self, answers: Mapping[Key, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[Key] = []

    def ask(self, name: bytes, kind: int, _deadline: float, callback: AnswerCallback) -> None:
        """The longest end of the name that the table has decides."""
        self.asked.append((name, kind))
        asyncio.get_running_loop().call_soon(callback, self._answer(name, kind))

    def _answer(self, name: bytes, kind: int) -> Answer:
        for at in (0, *(place + 1 for place, byte in enumerate(name) if byte == ord("."))):
            known = {asked: answer for (end, asked), answer in self.answers.items() if end == name[at:]}
            if known:
                return known.get(kind, Absent(exists=True))
        return Absent()

    def close(self) -> None:
        """As a resolver can be closed."""

    def names(self) -> list[bytes]:
        """The names asked about so far."""
        return [name for name, _ in self.asked]


def healthy(zone: bytes) -> dict[Key, Answer]:
    """The test points of RFC 5782: 127.0.0.2 is listed, 127.0.0.1 is not."""
    return {(b"2.0.0.127." + zone, A): address(), (b"1.0.0.127." + zone, A): Absent()}


def address(last: int = 2, ttl: int = 0) -> Found:
    """The A record 127.0.0.last."""
    return Found((bytes((127, 0, 0, last)),), ttl)


def listing(zone: bytes, ip: bytes, last: int = 2, ttl: int = 0, text: bytes = b"listed") -> dict[Key, Answer]:
    """A client that a zone lists, with a text."""
    name = b".".join(reversed(ip.split(b"."))) + b"." + zone
    return {(name, A): address(last, ttl), (name, TXT): Found((text,), ttl)}
