"""The dialogue with a filter: what it is told at each event, and what its answers do."""

import pytest

from ucspi_py.core.milter import events, packet
from ucspi_py.core.milter.changes import (
    BodyReplaced,
    HeaderAdded,
    HeaderChanged,
    HeaderInserted,
    Quarantined,
    RecipientAdded,
    RecipientDeleted,
    SenderChanged,
)
from ucspi_py.core.milter.dialogue import MilterDialogue, Passed
from ucspi_py.core.milter.negotiation import Offer
from ucspi_py.core.milter.packet import number, packed, string
from ucspi_py.core.milter.words import Actions, Event, Protocol
from ucspi_py.core.smtp.reply import Reply, reply

ALL = Actions(0x1FF)
CONTINUE = packed(b"c")
MESSAGE = (Event.MAIL, Event.RCPT, Event.DATA, Event.HEADER, Event.EOH, Event.BODY, Event.END)


def optneg(version: int = 6, actions: int = ALL, protocol: int = 0, more: bytes = b"") -> bytes:
    """What a filter answers to the offer."""
    return packed(b"O", number(version) + number(actions) + number(protocol) + more)


def agreed(version: int = 6, actions: int = ALL, protocol: int = 0, offer: Offer | None = None) -> MilterDialogue:
    """A dialogue behind its negotiation."""
    dialogue = MilterDialogue(offer or Offer())
    dialogue.negotiate()
    dialogue.take_output()
    dialogue.receive(optneg(version, actions, protocol))
    assert dialogue.failure is None
    return dialogue


def told(dialogue: MilterDialogue, event: Event, *answers: bytes) -> object:
    """Tell an event -> what becomes of it."""
    dialogue.tell(event)
    dialogue.take_output()
    if dialogue.answer is None:
        dialogue.receive(b"".join(answers) or CONTINUE)
    return dialogue.answer


def failure(dialogue: MilterDialogue) -> str:
    """Why a filter is given up."""
    assert dialogue.failure
    return dialogue.failure.sentence


def test_offer() -> None:
    """Postfix offers version 6 with all actions and all flags of it."""
    dialogue = MilterDialogue(Offer())
    dialogue.negotiate()

    assert dialogue.take_output() == bytes.fromhex("0000000d 4f 00000006 000001ff 001fffff")
    assert dialogue.answer is None


@pytest.mark.parametrize(("version", "protocol"), [(2, "0000007f"), (3, "0000017f"), (4, "0000037f"), (6, "001fffff")])
def test_offer_of_older_versions(version: int, protocol: str) -> None:
    """What a version does not have is not offered with it."""
    assert Offer(version).wire[13:] == bytes.fromhex(protocol)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (optneg(7), "it speaks version 7, and was offered 6"),
        (optneg(1), "it speaks version 1, and was offered 6"),
        (optneg(actions=0x200), "it asks for what nobody knows, 0x200"),
        (packed(b"c"), "it answered the offer with b'c'"),
        (packed(b"O", b"\0\0\0"), "it sent an answer to the offer that is too short"),
        (b"\0\0\0\0", "it sent a packet of 0 bytes"),
        (b"HTTP/1.1 400", "it sent a packet of 1213486160 bytes"),
        (optneg(more=number(1) + b"i"), "it sent an answer to the offer that is without its end"),
        (optneg(more=(number(1) + b"\0") * 101), "it sent too many lists of macros"),
    ],
)
def test_no_agreement(answer: bytes, sentence: str) -> None:
    """A filter that answers otherwise is given up, with the reason."""
    dialogue = MilterDialogue(Offer())
    dialogue.negotiate()
    dialogue.receive(answer)

    assert failure(dialogue) == sentence
    assert dialogue.answer is Passed.ON
    assert not dialogue.is_usable


def test_macros_that_a_filter_wants() -> None:
    """Lists of names by their numbers, of which 5 is the end of the message; unknown ones are passed over."""
    dialogue = MilterDialogue(Offer())
    dialogue.negotiate()
    dialogue.receive(optneg(more=number(5) + b"i {auth_type}, j\0" + number(0) + b"\0" + number(99) + b"x\0"))

    assert dialogue.agreed
    assert dialogue.agreed.macros == {Event.END: (b"i", b"{auth_type}", b"j")}


def test_packets_come_in_pieces() -> None:
    """Byte by byte it is the same."""
    dialogue = agreed()
    dialogue.tell(Event.HELO)
    for byte in packed(b"y", b"550 5.7.1 No\0"):
        assert dialogue.answer is None
        dialogue.receive(bytes([byte]))

    assert dialogue.answer == reply(550, b"5.7.1 No")


def test_what_a_filter_is_told() -> None:
    """Macros come before their event, in the same output."""
    dialogue = agreed()
    dialogue.tell(Event.CONNECT, events.connect(b"unknown", b"192.0.2.1", 4711), b"j\0mx.example\0v\0\0")

    assert dialogue.take_output() == (
        packed(b"D", b"Cj\0mx.example\0v\0\0") + packed(b"C", b"[192.0.2.1]\x004\x12\x67192.0.2.1\0")
    )


def test_an_event_without_macros() -> None:
    """A milter forgets those that it had at the last one of its kind; with None it keeps them."""
    dialogue = agreed(protocol=Protocol.NR_HELO)
    for macros in (b"", None):
        dialogue.tell(Event.HELO, b"x\0", macros)

    assert dialogue.take_output() == packed(b"D", b"H") + packed(b"H", b"x\0") * 2


def test_a_client_with_a_name_and_ipv6() -> None:
    """A name is told as it is, the family as a digit."""
    assert events.connect(b"mx.example", b"2001:db8::1", 0) == b"mx.example\x006\0\x002001:db8::1\0"


def test_zero_bytes_end_no_string() -> None:
    """What a client says has no end of its own."""
    assert events.helo(b"a\0b") == b"a?b\0"
    assert events.address(b"<a@b>", [(b"SIZE", b"1")]) == b"<a@b>\0SIZE=1\0"


@pytest.mark.parametrize(("protocol", "value"), [(0, b"one\n two"), (Protocol.HDR_LEADSPC, b" one\n two")])
def test_blank_before_a_header(protocol: int, value: bytes) -> None:
    """A filter has the blank behind the colon only if it asks for it."""
    dialogue = agreed(protocol=protocol)
    assert dialogue.agreed

    assert events.header(b"Subject", b" one\n two", has_blank=dialogue.agreed.has_blank) == b"Subject\0" + value + b"\0"


def test_what_it_does_not_want_to_hear() -> None:
    """Such an event is passed at once; its macros are sent nevertheless, as by Postfix."""
    dialogue = agreed(protocol=Protocol.NOHELO | Protocol.NOBODY)
    dialogue.tell(Event.HELO, b"x\0", b"i\x001\0")

    assert dialogue.answer is Passed.ON
    assert dialogue.take_output() == packed(b"D", b"Hi\x001\0")
    assert not dialogue.hears(Event.BODY)
    assert dialogue.hears(Event.EOH)
    dialogue.tell(Event.BODY, b"x", b"i\x001\0")
    assert dialogue.take_output() == b""


@pytest.mark.parametrize(
    ("version", "unknown"), [(2, {Event.DATA, Event.UNKNOWN}), (3, {Event.DATA}), (4, set()), (5, set())]
)
def test_events_of_later_versions(version: int, unknown: set[Event]) -> None:
    """An older filter is not told what its version does not have, nor its macros."""
    dialogue = agreed(version)

    assert {event for event in Event if not dialogue.hears(event)} == unknown
    for event in unknown:
        dialogue.tell(event, b"", b"i\x001\0")
        assert dialogue.take_output() == b""


def test_unanswered_events() -> None:
    """Where a filter says nothing, nothing is waited for, and all goes out together."""
    dialogue = agreed(protocol=Protocol.NR_HDR | Protocol.NR_EOH)
    for event in (Event.HEADER, Event.HEADER, Event.EOH):
        dialogue.tell(event)
        assert dialogue.answer is Passed.ON

    assert dialogue.take_output() == packed(b"L") * 2 + packed(b"N")


@pytest.mark.parametrize("macros", [None, b"i\0id\0"])
@pytest.mark.parametrize("protocol", [Protocol.NR_HDR, Protocol.NR_HDR | Protocol.NOHDRS])
def test_headers_in_a_run(protocol: int, macros: bytes | None) -> None:
    """It hears the same as one by one."""
    at_once, one_by_one = agreed(protocol=protocol), agreed(protocol=protocol)
    headers = [b"A\0 1\0", b"B\0 2\0", b"C\0 3\0"]
    for header in headers:
        one_by_one.tell(Event.HEADER, header, macros)
    at_once.tell(Event.HEADER, headers[0], macros, headers[1:])

    assert at_once.take_output() == one_by_one.take_output()


@pytest.mark.parametrize(
    ("protocol", "before", "is_silent"),
    [
        (0, None, False),
        (Protocol.NR_MAIL, None, True),
        (Protocol.NOMAIL, None, True),
        (0, packed(b"a"), True),
        (Protocol.NR_MAIL, packed(b"r"), False),
        (Protocol.NR_MAIL, packed(b"?"), False),
    ],
)
def test_who_is_silent(protocol: int, before: bytes | None, *, is_silent: bool) -> None:
    """Nothing comes of an event without an answer, but where the filter has failed, or refused the client before."""
    dialogue = agreed(protocol=protocol)
    if before:
        told(dialogue, Event.CONNECT, before)

    assert dialogue.is_silent(Event.MAIL) == is_silent


def test_no_reply_to_headers_is_offered_to_old_filters() -> None:
    """milter_protocol may have no_header_reply beside an old version."""
    dialogue = agreed(2, protocol=Protocol.NR_HDR, offer=Offer(2, no_header_reply=True))
    dialogue.tell(Event.HEADER)

    assert dialogue.answer is Passed.ON


def test_an_answer_to_what_was_not_asked() -> None:
    """A filter that speaks out of turn is out of step, and given up."""
    dialogue = agreed(protocol=Protocol.NR_HDR)
    dialogue.tell(Event.HEADER)
    dialogue.receive(CONTINUE)

    assert failure(dialogue) == "it speaks without being asked"


@pytest.mark.parametrize(("word", "found"), [(b"r", reply(550, b"5.7.1 Command rejected")), (b"d", Passed.DISCARDED)])
def test_what_is_refused_stays_refused(word: bytes, found: object) -> None:
    """A filter that fails right behind its answer has given it all the same."""
    dialogue = agreed()

    assert told(dialogue, Event.MAIL, packet.packed(word) + CONTINUE) == found
    assert failure(dialogue) == "it speaks without being asked"
    assert told(dialogue, Event.RCPT) is Passed.ON


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"r", reply(550, b"5.7.1 Command rejected")),
        (b"t", reply(451, b"4.7.1 Service unavailable - try again later")),
        (b"y554 5.7.1 Spam\0", reply(554, b"5.7.1 Spam")),
    ],
)
@pytest.mark.parametrize("event", [Event.CONNECT, Event.HELO])
def test_a_refused_connection(event: Event, answer: bytes, found: Reply) -> None:
    """A refusal of the client or its name is that of all that follows, and nothing more is told."""
    dialogue = agreed()

    assert told(dialogue, event, packed(answer[:1], answer[1:])) == found
    assert not dialogue.is_usable
    for later in MESSAGE:
        assert told(dialogue, later) == found


@pytest.mark.parametrize("event", MESSAGE)
def test_a_refused_command(event: Event) -> None:
    """A refusal of one command is of no other."""
    dialogue = agreed()

    assert told(dialogue, event, packed(b"r")) == reply(550, b"5.7.1 Command rejected")
    assert told(dialogue, Event.RCPT) is Passed.ON
    assert dialogue.hears(Event.RCPT)


@pytest.mark.parametrize("event", [Event.CONNECT, Event.MAIL, Event.END])
def test_shutdown(event: Event) -> None:
    """421 ends the session, at whatever it is said."""
    dialogue = agreed()

    assert told(dialogue, event, packed(b"4")) == reply(421, b"4.7.0 Server closing connection")
    assert not dialogue.is_usable


def test_an_accepted_connection() -> None:
    """Accept at CONNECT or HELO lets all of the client pass."""
    dialogue = agreed()

    assert told(dialogue, Event.CONNECT, packed(b"a")) is Passed.ON
    assert not any(map(dialogue.hears, Event))


def test_an_accepted_message() -> None:
    """Accept lets one message pass; the next one is told again."""
    dialogue = agreed()

    told(dialogue, Event.MAIL)
    assert told(dialogue, Event.RCPT, packed(b"a")) is Passed.ON
    assert not any(map(dialogue.hears, MESSAGE))
    dialogue.abort()
    assert dialogue.take_output() == packed(b"A")
    assert all(map(dialogue.hears, MESSAGE))


def test_a_discarded_message() -> None:
    """Discard is no word to the client; at CONNECT it means nothing (milter8.c)."""
    dialogue = agreed()

    assert told(dialogue, Event.CONNECT, packed(b"d")) is Passed.ON
    assert told(dialogue, Event.RCPT, packed(b"d")) is Passed.DISCARDED
    assert not dialogue.hears(Event.DATA)


def test_skip() -> None:
    """Skip leaves out what follows of the same kind, until something else comes."""
    dialogue = agreed()

    assert told(dialogue, Event.BODY, packed(b"s")) is Passed.ON
    dialogue.tell(Event.BODY)
    assert dialogue.take_output() == b""
    assert told(dialogue, Event.END) is Passed.ON
    assert dialogue.hears(Event.BODY)


def test_progress() -> None:
    """A filter that works on it has more time, but not for ever."""
    dialogue = agreed()
    dialogue.tell(Event.END)
    dialogue.receive(packed(b"p") * 1000)
    assert dialogue.answer is None
    dialogue.receive(packed(b"p"))

    assert failure(dialogue) == "it says again and again that it works on it"


def test_refused_recipients() -> None:
    """A filter hears of recipients that others refuse where it asks for that."""
    assert agreed(protocol=Protocol.RCPT_REJ).wants_refused
    assert not agreed().wants_refused


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        (b"550 5.7.1 100%% spam", (b"5.7.1 100% spam",)),
        (b"451 4.7.1 50% of %%%it", (b"4.7.1 50 of %it",)),
        (b"550-5.7.1 One\r\n550-5.7.1 Two\r\n550 5.7.1 Three", (b"5.7.1 One", b"5.7.1 Two", b"5.7.1 Three")),
        (b"550 ", (b"",)),
    ],
)
def test_own_replies(text: bytes, texts: tuple[bytes, ...]) -> None:
    """A filter's own reply is the client's."""
    assert told(agreed(), Event.RCPT, packed(b"y", text + b"\0")) == Reply(int(text[:3]), texts)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"250 2.0.0 Ok",
        b"550",
        b"5x0 no",
        b"550-5.7.1 and",
        b"550 5.7.1 One\r\n550 5.7.1 Two",
        b"550-5.7.1 One\r\n451 4.7.1 Two",
        b"550 4.7.1 later",
        b"550 5.7.1 a\nb",
        b"550 5.7.1 a\rb",
        b"550 5.7.1 a\0b",
        b"550 5.7.1 a\r\n",
        b"550-x\r\n" * 32 + b"550 x",
    ],
)
def test_replies_that_are_none(text: bytes) -> None:
    """What could forge a reply, or is no refusal, gives the filter up; Postfix has words of its own for that."""
    dialogue = agreed()

    assert told(dialogue, Event.RCPT, packed(b"y", text)) is Passed.ON
    assert failure(dialogue).startswith("it has a reply that is none")
    assert dialogue.failure
    assert dialogue.failure.misconfigured


CHANGES = [
    (b"hX-Spam\0yes\0", HeaderAdded(b"X-Spam", b"yes"), Actions.ADDHDRS),
    (b"i\0\0\0\2X-Spam\0yes\0", HeaderInserted(2, b"X-Spam", b"yes"), Actions.ADDHDRS),
    (b"m\0\0\0\0Subject\0other\0", HeaderChanged(1, b"Subject", b"other"), Actions.CHGHDRS),
    (b"m\0\0\0\3Subject\0\0", HeaderChanged(3, b"Subject", b""), Actions.CHGHDRS),
    (b"bother\r\n", BodyReplaced(b"other\r\n"), Actions.CHGBODY),
    (b"e<a@b>\0", SenderChanged(b"<a@b>", b""), Actions.CHGFROM),
    (b"e<a@b>\0SIZE=1\0", SenderChanged(b"<a@b>", b"SIZE=1"), Actions.CHGFROM),
    (b"+<a@b>\0", RecipientAdded(b"<a@b>", b""), Actions.ADDRCPT),
    (b"2<a@b>\0NOTIFY=NEVER\0", RecipientAdded(b"<a@b>", b"NOTIFY=NEVER"), Actions.ADDRCPT_PAR),
    (b"-<a@b>\0", RecipientDeleted(b"<a@b>"), Actions.DELRCPT),
    (b"qvirus\0", Quarantined(b"virus"), Actions.QUARANTINE),
]


@pytest.mark.parametrize(("data", "wanted", "needed"), CHANGES)
def test_changes(data: bytes, wanted: object, needed: Actions) -> None:
    """What a filter asks for comes before its answer, and is had where it is agreed on."""
    dialogue = agreed(actions=needed)

    assert told(dialogue, Event.END, packed(data[:1], data[1:]), CONTINUE) is Passed.ON
    assert dialogue.take_changes() == [wanted]


@pytest.mark.parametrize(("data", "_wanted", "needed"), CHANGES)
def test_changes_without_agreement(data: bytes, _wanted: object, needed: Actions) -> None:
    """A message that may have gone on as it came is not changed any more: the filter is given up."""
    dialogue = agreed(actions=ALL & ~needed)
    told(dialogue, Event.END, packed(data[:1], data[1:]))

    assert failure(dialogue).startswith("it wants a change that is not agreed on: ")
    assert dialogue.take_changes() == []


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.END])
def test_changes_before_the_end(event: Event) -> None:
    """Nothing is changed before the end of the message."""
    dialogue = agreed()
    told(dialogue, event, packed(b"h", b"X\0y\0"))

    assert failure(dialogue) == "it wants a change before the end of the message: HeaderAdded"


@pytest.mark.parametrize("answer", [b"r", b"t", b"d", b"4"])
def test_changes_of_a_refused_message(answer: bytes) -> None:
    """A message that does not go on is not changed."""
    dialogue = agreed()
    told(dialogue, Event.END, packed(b"h", b"X\0y\0"), packed(answer))

    assert dialogue.take_changes() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"h\0y\0", "it has a header with the name b''"),
        (b"hX:\0y\0", "it has a header with the name b'X:'"),
        (b"hX\r\nY\0y\0", "it has a header with the name b'X\\r\\nY'"),
        (b"hX\0y", "it sent a header to add that is without its end"),
        (b"hX\0y\0z", "it sent a header to add that is too long"),
        (b"m\0\0X", "it sent a header to change that is too short"),
        (b"m\xff\xff\xff\xffX\0y\0", "it counts headers to 4294967295"),
        (b"?", "it said b'?', which is no answer here"),
        (b"c?", "it said b'c' with 1 bytes behind it"),
    ],
)
def test_what_no_filter_says(data: bytes, sentence: str) -> None:
    """What cannot be read gives the filter up."""
    dialogue = agreed()
    told(dialogue, Event.END, packed(data[:1], data[1:]))

    assert failure(dialogue).startswith(sentence)


def test_limits_of_changes() -> None:
    """Ten thousand changes, a megabyte in them, and as large a body as is allowed."""
    many = agreed()
    told(many, Event.END, packed(b"-", b"a\0") * 10_001)
    large = agreed()
    told(large, Event.END, packed(b"h", b"X\0" + b"y" * 600_000 + b"\0") * 2)
    body = agreed()
    body.wanted.body_limit = 9
    told(body, Event.END, packed(b"b", b"12345") * 2)

    assert failure(many) == failure(large) == "it wants too many changes"
    assert failure(body) == "it wants another body of more than 9 bytes"


def test_a_packet_that_is_too_long() -> None:
    """Its length is enough to know."""
    dialogue = agreed()
    told(dialogue, Event.END, number(packet.LIMIT + 1) + b"b")

    assert failure(dialogue) == f"it sent a packet of {packet.LIMIT + 1} bytes"


def test_the_end_of_a_filter() -> None:
    """A filter that leaves has failed, unless it has said its last word."""
    left, done = agreed(), agreed()
    told(done, Event.CONNECT, packed(b"a"))
    for dialogue in (left, done):
        dialogue.receive_end()

    assert failure(left) == "it has closed the connection"
    assert done.failure is None


def test_a_message_that_is_left_before_its_answer() -> None:
    """Its answer may still come, and would be that of the next: the filter is given up."""
    dialogue = agreed()
    dialogue.tell(Event.DATA)
    dialogue.abort()

    assert failure(dialogue) == "was left before its answer"


def test_goodbye() -> None:
    """With QUIT_NC the connection is another client's, with what is agreed on."""
    first = agreed()
    first.quit(is_kept=True)
    assert first.take_output() == packed(b"K")
    second = MilterDialogue(Offer(), first.agreed)

    assert told(second, Event.CONNECT) is Passed.ON
    second.quit()
    assert second.take_output() == packed(b"Q")


def test_nothing_is_aborted_outside_of_a_message() -> None:
    """A message that has come to its end is over."""
    dialogue = agreed()
    for event in (Event.CONNECT, Event.HELO, Event.MAIL, Event.END):
        told(dialogue, event)
    dialogue.abort()

    assert dialogue.take_output() == b""


@pytest.mark.parametrize(
    ("told_events", "may_be_kept"),
    [
        ((Event.CONNECT,), False),
        ((Event.CONNECT, Event.HELO), False),
        ((Event.CONNECT, Event.MAIL), True),
        ((Event.CONNECT, Event.MAIL, Event.RCPT), True),
        ((Event.CONNECT, Event.MAIL, Event.RCPT, Event.END), False),
        ((Event.CONNECT, Event.MAIL, Event.END, Event.MAIL), True),
        ((Event.CONNECT, Event.MAIL, Event.HELO), False),
    ],
)
def test_when_a_connection_may_be_kept(told_events: tuple[Event, ...], *, may_be_kept: bool) -> None:
    """libmilter knows QUIT_NC behind an aborted message alone (tried with Debian's)."""
    dialogue = agreed()
    for event in told_events:
        told(dialogue, event)
    dialogue.abort()

    assert dialogue.may_be_kept == may_be_kept


@pytest.mark.parametrize(
    ("version", "protocol", "may_be_kept"),
    [
        (2, 0, False),
        (4, 0, False),
        (6, 0, True),
        (6, Protocol.NOHELO | Protocol.NOUNKNOWN | Protocol.SKIP, True),
        (6, Protocol.HDR_LEADSPC, False),
        (6, Protocol.NR_CONN, False),
        (6, Protocol.NR_BODY | Protocol.SKIP, False),
    ],
)
def test_who_may_be_kept(version: int, protocol: int, *, may_be_kept: bool) -> None:
    """Older versions know no QUIT_NC, and others forget with a client what they do otherwise."""
    dialogue = agreed(version, protocol=protocol)

    assert dialogue.agreed
    assert dialogue.agreed.may_be_kept == may_be_kept


@pytest.mark.parametrize(
    ("actions", "may_change"),
    [(0, False), (Actions.QUARANTINE | Actions.SETSYMLIST, False), (Actions.ADDHDRS, True), (Actions.CHGFROM, True)],
)
def test_who_may_change(actions: int, *, may_change: bool) -> None:
    """A message need not be held where nobody may change it."""
    dialogue = agreed(actions=actions)

    assert dialogue.agreed
    assert dialogue.agreed.may_change == may_change


def test_an_answer_is_waited_for() -> None:
    """One event at a time."""
    dialogue = agreed()
    dialogue.tell(Event.HELO, string(b"x"))

    with pytest.raises(ValueError, match="no answer yet"):
        dialogue.tell(Event.MAIL)
