"""Waiting for an answer of the name servers, for who has nothing else to do meanwhile. Never asks by itself."""

import asyncio

from ...core.dns.message import Answer, Ask


def answer_to(ask: Ask, name: bytes, kind: int, deadline: float) -> asyncio.Future[Answer]:
    """Ask for the records of one type of a dotted name, and have the answer to be awaited.

    kind: A, AAAA, TXT or PTR. deadline: in seconds of the monotonic clock; the answer is then Failed.
    """
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def callback(answer: Answer) -> None:
        if not answered.done():  # by who does not want to know any more
            answered.set_result(answer)

    ask(name, kind, deadline, callback)
    return answered
