"""A refused client that is talked to over a socketpair: who reads, who does not, who hangs up, who resets."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

import pytest

from tests.support.held import Ends, clog, connected, heard, some_turns
from ucspi_py.core.smtp.refusal import RefusalDialogue
from ucspi_py.core.smtp.verdict import Refuse
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.refuse.conversation import Conversation

GREETING = b"220 rblsmtpd.local\r\n"
NO = b"451 no\r\n"


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connection."""
    with connected() as both:
        yield both


def run(ends: Ends, story: Callable[[Conversation], Awaitable[None]]) -> None:
    """Play a story with one conversation, and see that nothing of it is watched afterwards."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        conversation = Conversation(loop, ends.server, RefusalDialogue(Refuse(451, b"no")))
        try:
            async with asyncio.timeout(20):
                await story(conversation)
        finally:
            conversation.leave()
        assert not loop.remove_reader(ends.server)
        assert not loop.remove_writer(ends.server)

    with closing(new_loop()) as loop:
        loop.run_until_complete(play())


def test_a_client_that_quits(ends: Ends) -> None:
    """Each command has its answer, and after the last word comes the end."""

    async def story(conversation: Conversation) -> None:
        conversation.begin(GREETING)
        ends.client.send(b"rcpt\r\n")
        assert await heard(ends.client, len(GREETING + NO)) == GREETING + NO
        assert not conversation.over.done()
        ends.client.send(b"quit\r\n")
        assert await heard(ends.client, 100) == b"221 rblsmtpd.local\r\n"
        await conversation.over

    run(ends, story)


def test_a_client_that_hangs_up(ends: Ends) -> None:
    """It is over."""

    async def story(conversation: Conversation) -> None:
        conversation.begin(GREETING)
        ends.client.shutdown(socket.SHUT_WR)
        await conversation.over

    run(ends, story)


def test_a_client_that_resets(ends: Ends) -> None:
    """It is over, and no error of ours."""

    async def story(conversation: Conversation) -> None:
        conversation.begin(GREETING)
        ends.client.close()  # with something unread: that resets
        await conversation.over

    run(ends, story)


def test_a_client_that_is_gone_before_the_first_word(ends: Ends) -> None:
    """It is over, too."""

    async def story(conversation: Conversation) -> None:
        ends.client.close()
        conversation.begin(GREETING)
        await conversation.over

    run(ends, story)


def test_a_client_that_does_not_read(ends: Ends) -> None:
    """It is not heard, until it has read; then it is told the rest, all of it, and heard again."""

    async def story(conversation: Conversation) -> None:
        clogged = clog(ends)
        conversation.begin(GREETING)
        ends.client.send(b"rcpt\r\n")
        await some_turns()
        assert ends.server.recv(100, socket.MSG_PEEK) == b"rcpt\r\n"
        assert await heard(ends.client, clogged + len(GREETING + NO)) == b"." * clogged + GREETING + NO
        ends.client.send(b"rset\r\n")
        assert await heard(ends.client, 20) == b"250 rblsmtpd.local\r\n"

    run(ends, story)


def test_words_that_fit_in_part(ends: Ends) -> None:
    """A client that reads slowly gets each byte once, in order."""
    words = bytes(range(256)) * 200

    async def story(conversation: Conversation) -> None:
        conversation.begin(words)
        assert await heard(ends.client, len(words)) == words
        ends.client.send(b"noop\r\n")
        assert await heard(ends.client, 20) == b"250 rblsmtpd.local\r\n"

    run(ends, story)


def test_the_last_word_to_a_client_that_does_not_read(ends: Ends) -> None:
    """It is not over before that word is on its way."""

    async def story(conversation: Conversation) -> None:
        conversation.begin(GREETING)
        await heard(ends.client, len(GREETING))
        clogged = clog(ends)
        ends.client.send(b"quit\r\n")
        await some_turns()
        assert not conversation.over.done()
        assert (await heard(ends.client, clogged + 100))[clogged:] == b"221 rblsmtpd.local\r\n"
        await conversation.over

    run(ends, story)


@pytest.mark.parametrize("leaves", [lambda client: client.close(), lambda client: client.shutdown(socket.SHUT_RDWR)])
def test_a_client_that_goes_without_reading(ends: Ends, leaves: Callable[[socket.socket], None]) -> None:
    """What was still to be said is not said, and it is over."""

    async def story(conversation: Conversation) -> None:
        clog(ends)
        conversation.begin(GREETING)
        leaves(ends.client)
        await conversation.over

    run(ends, story)


def test_an_end_from_outside(ends: Ends) -> None:
    """Nothing is watched any more of a client that has not read, nor of one that has said its last word already."""

    async def story(conversation: Conversation) -> None:
        clog(ends)
        conversation.begin(GREETING)
        conversation.end()
        conversation.end()
        await conversation.over

    run(ends, story)


def test_a_poll_that_was_wrong(ends: Ends) -> None:
    """Nothing is there to be read: that is not the end."""

    async def story(conversation: Conversation) -> None:
        conversation.begin(GREETING)
        conversation._hear()
        assert not conversation.over.done()

    run(ends, story)
