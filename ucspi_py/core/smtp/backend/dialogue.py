"""The SMTP dialogue with a backend that starts late: what it is told, and what the client hears. Never does I/O.

Its banner and its EHLO are our business; what it says to MAIL, RCPT, DATA and the message is for the client (Postfix,
smtpd_proxy.c).
"""

from functools import partial

from ..envelope import Envelope
from ..path import Path
from ..reply import Reply, reply
from .commands import mail, rcpt
from .exchange import OUTCOME_UNKNOWN, UNAVAILABLE, Due, Exchange, quoted
from .introduction import Introduction

_NO_UTF8 = reply(550, b"5.6.7 The mail system does not take SMTPUTF8")

#: Seconds for a reply to DATA and to a message; RFC 5321, 4.5.3.2 has the client wait so long.
_DATA_PATIENCE, _MESSAGE_PATIENCE = 120.0, 600.0

_TRANSACTION, _CONTENT = "a transaction", "the content"
_END = "the end of the message"
_UNKNOWN = ": outcome unknown"


class BackendDialogue:
    """The dialogue with one backend from its banner on. One thing is asked at a time, and answered before the next.

    remote_host: the name by which a client is introduced that has said neither HELO nor EHLO. answer: to what was asked
    last, for the client; None while it is due. exchange: with the backend; how much patience it is to have.
    """

    def __init__(self, remote_host: bytes) -> None:
        self.answer: Reply | None = None
        self.exchange = Exchange()
        self._introduction = Introduction(self.exchange, remote_host, self._go_on)
        self._goal: tuple[Envelope, Path] | None = None
        self._transaction: Envelope | None = None
        self._refused: tuple[Envelope, Reply] | None = None
        self._accepted = 0
        self._to_be_reset = False

    @property
    def usable(self) -> bool:
        """Whether more can be asked. Where not, the backend is to be left, and what is asked is answered at once."""
        return self.exchange.usable

    @property
    def failure(self) -> str | None:
        """A sentence for the log, without its subject; None where nothing is the backend's fault."""
        return self.exchange.failure

    @property
    def refusal(self) -> Reply | None:
        """A 5xx banner, which holds for the whole session; None where there was none."""
        return self._introduction.refusal

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked, and no recipient is accepted in a transaction that runs."""
        return self.exchange.within is None and self.answer is not None

    @property
    def takes_content(self) -> bool:
        """Whether content may be sent now. Where it may not, it is to be thrown away."""
        return self.exchange.within == _CONTENT and self.usable

    def take_output(self) -> bytes:
        """The commands since the last call."""
        return self.exchange.take_output()

    def recipient(self, envelope: Envelope, path: Path) -> None:
        """Ask whether a recipient is accepted; hello and MAIL are told before, as far as they are not told yet.

        envelope: the recipient's, with those that the backend has accepted: one that has not is no place for more.
        After a refused MAIL the same object means the same transaction, whose recipients have their answer already.
        """
        if not self._ask():
            return
        if self._refused and self._refused[0] is envelope:
            self._settle(self._refused[1])
            return
        if not self._is_within(envelope):
            self._forget_transaction()
            if envelope.recipients:
                self._settle(UNAVAILABLE)
                return
        self._goal = (envelope, path)
        self._go_on()

    def data(self) -> None:
        """Ask for content: 354 lets it be sent."""
        if self._ask():
            if self.exchange.within == _TRANSACTION:
                self.exchange.tell(b"DATA\r\n", Due("DATA", self._hear_data, _DATA_PATIENCE))
            else:
                self._settle(UNAVAILABLE)

    def end_of_data(self) -> None:
        """Tell the end of content. To be called when the backend has all of it; what it says before is no success."""
        if self._ask():
            if self.takes_content:
                self._forget_transaction()
                self.exchange.tell(b".\r\n", Due(_END, self._hear_end, _MESSAGE_PATIENCE, _UNKNOWN, OUTCOME_UNKNOWN))
            else:
                self._settle(UNAVAILABLE)

    def reset(self) -> None:
        """End the transaction without a message. There is no answer. Not within content: the backend is to be left."""
        self._forget_transaction()
        if self._to_be_reset and self.usable and not self.exchange.is_due:
            self._tell_reset()

    def quit(self) -> None:
        """Say QUIT, unless content or an answer is not at its end; the backend is to be left in any case."""
        if self.usable and self.exchange.within != _CONTENT and self.answer is not None:
            self.exchange.tell(b"QUIT\r\n", Due("QUIT", self._hear_nothing))
        self.leave()

    def leave(self) -> None:
        """Tell the backend nothing more, and hear nothing more of it."""
        if self.usable:
            self.exchange.leave(UNAVAILABLE)

    def receive(self, data: bytes) -> None:
        """Take what the backend says."""
        self.exchange.receive(data)
        self._settle_with_last_words()

    def receive_end(self) -> None:
        """Take the end of what the backend says."""
        self.exchange.receive_end()
        self._settle_with_last_words()

    def expire(self) -> None:
        """Give the backend up, which has let its patience pass."""
        self.exchange.expire()
        self._settle_with_last_words()

    def _is_within(self, envelope: Envelope) -> bool:
        """Whether a transaction is this one, with just the recipients that were accepted."""
        if self._transaction is None or self._accepted != len(envelope.recipients):
            return False
        return self._transaction == envelope.having()

    def _ask(self) -> bool:
        """Begin with what is asked; False where the backend has said its last words already, which are the answer."""
        self.answer = None
        self._settle_with_last_words()
        return self.exchange.usable

    def _settle_with_last_words(self) -> None:
        if self.answer is None and not self.exchange.usable:
            self._settle(self.exchange.last_words)

    def _settle(self, answer: Reply) -> None:
        self._goal = None
        self.answer = answer
        if answer.hangs_up:
            self.exchange.leave(answer)

    def _forget_transaction(self) -> None:
        self._transaction = self._refused = self.exchange.within = None
        self._accepted = 0

    def _go_on(self) -> None:
        """Tell the next command on the way to the recipient."""
        if not self._goal or self.exchange.is_due:
            return
        envelope, path = self._goal
        if self._transaction is not None:
            self._tell_rcpt(path)
        elif self._to_be_reset:
            self._tell_reset()
        elif not self._introduction.holds_for(envelope):
            self._introduction.make(envelope, self._go_on)
        else:
            self._tell_mail(envelope, path)

    def _tell_reset(self) -> None:
        self.exchange.tell(b"RSET\r\n", Due("RSET", self._hear_reset))

    def _tell_mail(self, envelope: Envelope, path: Path) -> None:
        keywords = self._introduction.keywords
        if b"SMTPUTF8" in dict(envelope.parameters) and b"SMTPUTF8" not in keywords:
            self._settle(_NO_UTF8)
            return
        self._to_be_reset = True
        self.exchange.tell(mail(envelope, keywords), Due("MAIL", partial(self._hear_mail, envelope)))
        if b"PIPELINING" in keywords:
            self._tell_rcpt(path)

    def _tell_rcpt(self, path: Path) -> None:
        self.exchange.tell(rcpt(path), Due("RCPT", self._hear_rcpt))

    def _hear_reset(self, heard: Reply) -> None:
        if heard.is_positive:
            self._to_be_reset = False
            self._go_on()
        else:
            self._fail("RSET", heard)

    def _hear_mail(self, envelope: Envelope, heard: Reply) -> None:
        if self._is_out_of_place(heard, "MAIL"):
            return
        if heard.is_positive:
            self._transaction = envelope.having()
            self._go_on()
        else:
            self._refused = (envelope, heard)
            self.exchange.ignore(self._hear_nothing)
            self._settle(heard)

    def _hear_rcpt(self, heard: Reply) -> None:
        if not self._is_out_of_place(heard, "RCPT"):
            if heard.is_positive:
                self._accepted += 1
                self.exchange.within = _TRANSACTION
            self._settle(heard)

    def _hear_data(self, heard: Reply) -> None:
        if heard.code != 354 and heard.code < 400:
            self._fail("DATA", heard)
            return
        if heard.code == 354:
            self.exchange.within = _CONTENT
        self._settle(heard)

    def _hear_end(self, heard: Reply) -> None:
        if not self._is_out_of_place(heard, _END + _UNKNOWN, OUTCOME_UNKNOWN):
            self._to_be_reset = not heard.is_positive  # not every server forgets what it has refused
            self._settle(heard)

    def _hear_nothing(self, _heard: Reply) -> None:
        self._go_on()

    def _is_out_of_place(self, heard: Reply, command: str, words: Reply = UNAVAILABLE) -> bool:
        """Give a backend up that asks for more where there is nothing more to come (3xx)."""
        if 300 <= heard.code < 400:
            self._fail(command, heard, words)
            return True
        return False

    def _fail(self, command: str, heard: Reply, words: Reply = UNAVAILABLE) -> None:
        self.exchange.fail(f'replied "{quoted(heard.line)}" to {command}', words)
