"""An answer of the name servers as a future, for callers that await it. Never sends a query by itself."""

import asyncio

from ...core.dns.message import Answer, Ask


def answer_to(ask: Ask, name: bytes, kind: int, deadline: float) -> asyncio.Future[Answer]:
    """Query the records of one type of a dotted name; the future of the answer.

    ask: sends the query. kind: A, AAAA, TXT or PTR. deadline: second of the monotonic clock; the answer is then Failed.
    """
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def callback(answer: Answer) -> None:
        if not answered.done():  # cancelled by a caller that awaits it no more
            answered.set_result(answer)

    ask(name, kind, deadline, callback)
    return answered
