"""The dialogue with one filter about one client and its messages, sans-IO: events in, packets and answers out.

Source: Postfix, milter8.c; libmilter, engine.c.
"""

from collections.abc import Sequence
from enum import Enum

from ..smtp.reply import Reply
from . import packet, replies
from .changes import Change, Quarantined, change
from .failure import MilterFailed
from .negotiation import NOTHING_SPOKEN, Agreed, Offer, agree
from .packet import Packet, PacketReader
from .replies import Said
from .wanted import WantedChanges
from .words import ABORT, MACRO, OF_CONNECTION, QUIT, QUIT_NC, Event, Protocol

#: Packets of one event that only say that it goes on.
_PROGRESS_LIMIT = 1000
#: Who does not hear of these does not get their macros (milter8_message).
_OF_CONTENT = frozenset((Event.HEADER, Event.EOH, Event.BODY))
#: Behind these no message is under way.
_OUTSIDE = OF_CONNECTION | {Event.END}


class Passed(Enum):
    """What a filter has against a client or its message: nothing, or so little that the client hears nothing of it."""

    ON = "goes on"
    DISCARDED = "is taken and thrown away"


#: What becomes of an event; a Reply refuses it.
Answer = Passed | Reply


class MilterDialogue:
    """One filter. offer: what it is offered.

    agreed: what is agreed on, perhaps about another client on this connection; None until then. answer: to the event
    that was told last; None while it is due. failure: why nothing more is to be had of it; then every answer that it
    has not given before is Passed.ON, and its default action is the caller's to do. heard: packets that have come.
    output: packets that nobody has taken.
    wanted: what it wants to have changed. is_restful: whether a message was ended by abort() before its end, and
    nothing was told since.
    """

    def __init__(self, offer: Offer, agreed: Agreed | None = None) -> None:
        self.agreed = agreed
        self.answer: Answer | None = Passed.ON
        self.failure: MilterFailed | None = None
        self.heard = 0
        self.is_restful = False
        self.wanted = WantedChanges()
        self._offer = offer
        self._spoken = agreed.spoken if agreed else NOTHING_SPOKEN
        self._reader = PacketReader()
        self.output = bytearray()
        self._event: Event | None = None
        self._refusal: Reply | None = None
        self._accepts_all = self._accepts_message = False
        self._skipped: Event | None = None
        self._progress = 0
        self._forget_message()

    @property
    def is_usable(self) -> bool:
        """Whether it says more of this client: it has not failed, and not said its last word."""
        return self.failure is None and self.agreed is not None and not self._accepts_all and self._refusal is None

    @property
    def refusal(self) -> Reply | None:
        """What it has against the client, at each command; None = nothing that lasts."""
        return self._refusal

    @property
    def may_be_kept(self) -> bool:
        """Whether its connection may be another client's (SMFIC_QUIT_NC), with what is agreed on.

        libmilter passes that over everywhere but behind an aborted message, and then says nothing to CONNECT.
        """
        return self.is_restful and self.agreed is not None and self.agreed.may_be_kept

    @property
    def wants_refused(self) -> bool:
        """Whether it is told of recipients that are refused anyhow (SMFIP_RCPT_REJ)."""
        return self.is_usable and self.agreed is not None and bool(self.agreed.protocol & Protocol.RCPT_REJ)

    def hears(self, event: Event) -> bool:
        """Whether it would be told of an event now."""
        if event not in self._spoken.heard or event is self._skipped:
            return False
        return not self._accepts_message or event in OF_CONNECTION

    def is_silent(self, event: Event) -> bool:
        """Whether nothing comes of an event now: it may hear of it, says nothing, and has said nothing that lasts."""
        if self.failure or self._refusal:
            return False
        return event not in self._spoken.answered or not self.hears(event)

    def take_output(self) -> bytes:
        """The packets since the last call."""
        output, self.output = bytes(self.output), bytearray()
        return output

    def take_changes(self) -> list[Change]:
        """What it wants to have changed, since the last call; nothing is to be done of it before the answer."""
        return self.wanted.take()

    def negotiate(self) -> None:
        """Offer; what it answers is in agreed, and answer is set then."""
        self.answer = None
        self.output += self._offer.wire

    def tell(self, event: Event, data: bytes = b"", macros: bytes | None = None, more: Sequence[bytes] = ()) -> None:
        """Tell an event, if it is to hear of it; the answer is in answer, perhaps at once.

        data: as packet.string() and its like write it. macros: names and values that it gets with this event, as
        packet.strings() writes them, instead of those that it had at the last one of its kind; None = it keeps those.
        more: data of others of its kind behind it, each with the same macros, where it has no answer.
        """
        if self.answer is None:
            raise ValueError("the last event has no answer yet")
        self.answer = self._refusal or Passed.ON
        if event is not self._skipped:
            self._skipped = None
        if not self.hears(event):
            if macros is not None and self._is_left_out(event):
                self.output += packet.packed(MACRO, event.wire + macros)
            return
        self.is_restful = False
        if event is not Event.UNKNOWN:
            self._in_message = event not in _OUTSIDE
        for one in (data, *more):
            self.output += packet.packed(event.wire, one) if macros is None else packet.told(event.wire, one, macros)
        if event in self._spoken.answered:
            self._event, self.answer, self._progress = event, None, 0

    def abort(self) -> None:
        """End the message, whatever has become of it. It has no answer; what was asked for has none any more."""
        if self.answer is None:
            self.fail("was left before its answer")
        self.is_restful = self.is_usable and self._in_message and not self._accepts_message
        if self.is_usable and self._in_message:
            self.output += packet.packed(ABORT)
        self._forget_message()

    def quit(self, *, is_kept: bool = False) -> None:
        """Say goodbye. is_kept: the connection is for another client, with what is agreed on (SMFIC_QUIT_NC)."""
        if self.failure is None:
            self.output += packet.packed(QUIT_NC if is_kept else QUIT)

    def receive(self, data: bytes) -> None:
        """Take what it says. A filter that says what it may not say has failed."""
        if self.failure:
            return
        try:
            self._reader.feed(data)
            while (found := self._reader.next()) is not None:
                self.heard += 1
                self._hear(found)
        except MilterFailed as failure:
            self._fail(failure)

    def receive_end(self) -> None:
        """Take the end of what it says, which is a failure unless nothing more is expected of it."""
        if self.answer is None or self.is_usable:
            self.fail("it has closed the connection")

    def fail(self, sentence: str, *, is_late: bool = False) -> None:
        """Give it up. sentence: why, as in MilterFailed, as is is_late."""
        self._fail(MilterFailed(sentence, is_late=is_late))

    def _fail(self, failure: MilterFailed) -> None:
        self.failure = self.failure or failure
        self.answer = self.answer or Passed.ON
        self.wanted.drop()
        self.output.clear()
        self._spoken = NOTHING_SPOKEN

    def _forget_message(self) -> None:
        self._accepts_message = self._in_message = False
        self._skipped = None
        self.wanted.forget()

    def _is_left_out(self, event: Event) -> bool:
        """Whether it gets the macros of an event that it does not hear of; it may use them later (milter8_event)."""
        if self._accepts_message or event is self._skipped or event in _OF_CONTENT:
            return False
        return event in self._spoken.known

    def _hear(self, found: Packet) -> None:
        if self.answer is not None:
            raise MilterFailed("it speaks without being asked")
        if self.agreed is None:
            self.agreed = agree(self._offer, found)
            self._spoken = self.agreed.spoken
            self.answer = Passed.ON
            return
        asked_for = change(found)
        if asked_for:
            self._take_change(*asked_for)
        else:
            self._hear_answer(replies.said(found))

    def _take_change(self, asked_for: Change, needed: int) -> None:
        is_quarantine = isinstance(asked_for, Quarantined)
        if self._event is not Event.END and not is_quarantine:
            raise MilterFailed(f"it wants a change before the end of the message: {type(asked_for).__name__}")
        if self.agreed is None or not needed & self.agreed.actions:
            raise MilterFailed(f"it wants a change that is not agreed on: {type(asked_for).__name__}")
        self.wanted.add(asked_for)

    def _hear_answer(self, said: Said | Reply) -> None:
        event = self._event
        if said is Said.PROGRESS:
            self._progress += 1
            if self._progress > _PROGRESS_LIMIT:
                raise MilterFailed("it says again and again that it works on it")
            return
        self.answer = self._meaning(said, event)
        self._event = None
        if event is Event.END and self.answer is not Passed.ON:
            self.wanted.drop()

    def _meaning(self, said: Said | Reply, event: Event | None) -> Answer:
        """What an answer does with this event and those that follow."""
        is_early = event in OF_CONNECTION
        if isinstance(said, Reply):
            if is_early or said is replies.SHUT_DOWN:
                self._refusal = said
                self._spoken = NOTHING_SPOKEN
            return said
        match said:
            case Said.ACCEPT if is_early:
                self._accepts_all = True
                self._spoken = NOTHING_SPOKEN
            case Said.ACCEPT:
                self._accepts_message = True
            case Said.SKIP:
                self._skipped = event
            case Said.DISCARD if not is_early:
                self._accepts_message = True
                return Passed.DISCARDED
        return Passed.ON
