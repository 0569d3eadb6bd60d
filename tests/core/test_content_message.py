"""Header and body checks over one message: what is looked up, what is passed on, what is said."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ucspi_py.core.gate.content.checked import TOO_DEEP, UNCHECKED, Lookup, Note
from ucspi_py.core.gate.content.message import CheckedMessage
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.maps.names import Broken, MapName
from ucspi_py.core.gate.restrictions.judgement import DISCARDED
from ucspi_py.core.gate.restrictions.questions import MapOutcome
from ucspi_py.core.smtp.content import Content
from ucspi_py.core.smtp.settings import BareNewline

HEADER, MIME, NESTED, BODY = ((MapName("static", name),) for name in ("header", "mime", "nested", "body"))
ALL = ContentSettings(HEADER, MIME, NESTED, BODY)
SHORT = {MapName("static", "header"): "H", MapName("static", "mime"): "M", MapName("static", "nested"): "N"}

Answer = Callable[[Lookup], MapOutcome]


class Run:
    """One message that has gone through. asked: look-ups in their order. passed: what is passed on."""

    def __init__(
        self,
        content: bytes,
        answer: Answer,
        settings: ContentSettings = ALL,
        cuts: Sequence[int] = (),
        *,
        dry_run: bool = False,
    ) -> None:
        self.asked: list[str] = []
        self.passed = b""
        self._answer = answer
        self._message = CheckedMessage(settings, dry_run=dry_run)
        for piece in _pieces(content, cuts):
            self._message.feed(piece)
            self._work()
        self._message.end()
        self._work()
        self.verdict = self._message.verdict
        self.notes = self._message.notes
        self.complaints = self._message.complaints

    def _work(self) -> None:
        answer: MapOutcome = None
        for _ in range(100_000):
            lookup = self._message.next(answer)
            self.passed += self._message.take_output()
            if lookup is None and self._message.is_done:
                return
            answer = None
            if lookup:
                self.asked.append(f"{SHORT.get(lookup.maps[0], 'B')} {lookup.key.decode('latin-1')}")
                answer = self._answer(lookup)
        raise AssertionError("it asks for ever")


def _pieces(content: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    places = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for start, end in pairwise(places):
        yield content[start:end]


def nothing(_lookup: Lookup) -> None:
    """A table without a value."""


def says(key: bytes, value: bytes) -> Answer:
    """A table with one key."""
    return lambda lookup: value if lookup.key == key else None


def framed(text: str) -> bytes:
    """Lines as a client sends them."""
    return text.encode("latin-1").replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")


NESTING = """\
Subject: a
 folded
Content-Type: multipart/mixed; boundary="x y"
MIME-Version : 1.0

preamble
--x y
Content-Type: text/plain; name=b.exe

Subject: of no header
--x y
Content-Type: message/rfc822
X-Part: 1

Subject: within
Content-Type: multipart/digest; boundary=in

--in

From: digested

body
--in--
--x y--
end
"""


def test_each_header_and_each_line_is_asked_about_in_its_table() -> None:
    """Folded headers are one key with their newlines; nothing is asked about an empty line."""
    run = Run(framed(NESTING), nothing)
    assert run.asked == [
        "H Subject: a\n folded",
        'M Content-Type: multipart/mixed; boundary="x y"',
        "M MIME-Version: 1.0",
        "B preamble",
        "B --x y",
        "M Content-Type: text/plain; name=b.exe",
        "B Subject: of no header",
        "B --x y",
        "M Content-Type: message/rfc822",
        "M X-Part: 1",
        "N Subject: within",
        "M Content-Type: multipart/digest; boundary=in",
        "B --in",
        "N From: digested",
        "B body",
        "B --in--",
        "B --x y--",
        "B end",
    ]
    assert run.passed == framed(NESTING)
    assert (run.verdict, run.notes, run.complaints) == (None, [], [])


def test_without_mime_all_behind_the_headers_is_body() -> None:
    """disable_mime_input_processing; a header about MIME is one still."""
    settings = ContentSettings(HEADER, MIME, NESTED, BODY, disable_mime_input_processing=True)
    asked = Run(framed(NESTING), nothing, settings).asked
    assert asked[:4] == [*Run(framed(NESTING), nothing).asked[:3], "B preamble"]
    assert {line[0] for line in asked[3:]} == {"B"}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("a : b\n", ["H a: b"]),
        ("a:b\n\tc\n d\n", ["H a:b\n\tc\n d"]),
        ("no header\nb: c\n", ["B no header", "B b: c"]),
        (" a: b\n", ["B  a: b"]),
        ("From joe Mon\na: b\n", ["H X-Mailbox-Line: From joe Mon", "H a: b"]),
        ("a: b\nFrom joe\nc: d\n", ["H a: b", "B From joe", "B c: d"]),
        (": b\n", ["B : b"]),
        ("\xe9: b\n", ["B \xe9: b"]),
        ("a: b", ["H a: b"]),
        ("", []),
        ("\n.\n..\n", ["B .", "B .."]),
    ],
    ids=repr,
)
def test_what_a_header_is(head: str, expected: list[str]) -> None:
    """As for Postfix, also where somebody writes none."""
    content = framed(head)
    run = Run(content if content.endswith(b"\n") or not content else content + b"\r\n", nothing)
    assert run.asked == expected


ACTIONS = [
    ("", "", "", None),
    ("DUNNO", "", "", None),
    ("ok whatever", "", "", None),
    ("IGNORE", "-", "", None),
    ("STRIP why", "-", "strip: why", None),
    ("INFO x", "", "info: x", None),
    ("warn", "", "warning: ", None),
    ("REJECT", "", "reject: 5.7.1 message content rejected", "550 5.7.1 message content rejected"),
    ("REJECT no spam", "", "reject: 5.7.1 no spam", "550 5.7.1 no spam"),
    ("REJECT 5.6.7 no", "", "reject: 5.6.7 no", "550 5.6.7 no"),
    ("REJECT 4.6.7 later", "", "reject: 4.6.7 later", "451 4.6.7 later"),
    ("REJECT a\n\tb", "", "reject: 5.7.1 a\n\tb", "550 5.7.1 a  b"),
    ("REJECT 2.0.0 fine", "", "reject: 4.0.0 fine", "451 4.0.0 fine"),
    ("DISCARD", "", "discard: ", "250 2.0.0 Ok: discarded"),
]


@pytest.mark.parametrize("row", ACTIONS, ids=[row[0] for row in ACTIONS])
@pytest.mark.parametrize(("part", "key"), [(b"header", b"b: 2"), (b"body", b"line")])
def test_what_an_action_does(row: tuple[str, str, str, str | None], part: bytes, key: bytes) -> None:
    """To a header and to a line of the body: whether it is passed on, the log, and what the client is told."""
    value, change, note, reply = row
    content = framed("a: 1\nb: 2\nc: 3\n\nfirst\nline\nlast\n")
    run = Run(content, says(key, value.encode()))
    assert (run.verdict and run.verdict.line.decode()) == reply
    assert [f"{one.action.decode()}: {one.text.decode()}" for one in run.notes] == [note][: bool(note)]
    assert all((one.part, one.content) == (part, key) for one in run.notes)
    if reply is None:
        assert run.passed == (content.replace(key + b"\r\n", b"") if change else content)
    else:
        assert content.startswith(run.passed) and key not in run.passed
        assert run.asked[-1].endswith(key.decode()), "nothing is asked behind a verdict"


@pytest.mark.parametrize(
    ("value", "noted"),
    [(b"REJECT x", b"reject_warning: 5.7.1 x"), (b"DISCARD", b"warn: "), (b"STRIP", b"strip: "), (Broken("gone"), b"")],
)
def test_in_a_dry_run_each_message_passes(value: MapOutcome, noted: bytes) -> None:
    """What would have ended it is noted; what is changed is changed."""
    content = framed("a: 1\nb: 2\n\nx\n")
    run = Run(content, lambda lookup: value if lookup.key == b"b: 2" else None, ALL, dry_run=True)
    assert run.verdict is None
    assert [b"%b: %b" % (one.action, one.text) for one in run.notes] == ([noted] if noted else [])
    assert run.passed == (content.replace(b"b: 2\r\n", b"") if value == b"STRIP" else content)


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        ("PREPEND X-A: b", "Subject: a\n b", "X-A: b\nSubject: a\n b\n\nx\n.y\n"),
        ("REPLACE X-A: b", "Subject: a\n b", "X-A: b\n\nx\n.y\n"),
        ("REPLACE X: a\n b\nc", "Subject: a\n b", "X: a\n b\n\tc\n\nx\n.y\n"),
        ("REPLACE X: a\r\n\r\n.\r\nb\rc\0", "Subject: a\n b", "X: a\n\t\n\t.\n\tbc\n\nx\n.y\n"),
        ("PREPEND .", ".y", "Subject: a\n b\n\nx\n.\n.y\n"),
        ("REPLACE .\r\n.", "x", "Subject: a\n b\n\n..\n.y\n"),
        ("replace z", ".y", "Subject: a\n b\n\nx\nz\n"),
    ],
)
def test_what_is_put_in_is_framed(value: str, key: str, expected: str) -> None:
    """Whatever a table says: dots doubled, no line end of its own but in a folded header."""
    content = framed("Subject: a\n b\n\nx\n.y\n")
    assert Run(content, says(key.encode(), value.encode())).passed == framed(expected)


def test_behind_pass_nothing_is_looked_at() -> None:
    """Neither headers nor body."""
    run = Run(framed(NESTING), says(b"MIME-Version: 1.0", b"PASS friend"))
    assert len(run.asked) == 3
    assert run.passed == framed(NESTING)
    assert run.notes == [Note(b"pass", b"header", b"MIME-Version: 1.0", b"friend")]


@pytest.mark.parametrize(
    ("answer", "verdict", "complaint"),
    [
        (Broken("table x: gone"), UNCHECKED, "table x: gone"),
        (b"HOLD", UNCHECKED, "HOLD needs a queue, and the gate has none"),
        (b"redirect a@b", UNCHECKED, "REDIRECT needs a queue, and the gate has none"),
        (b"Host x", None, "'Host x' is no action of a header or body check"),
        (b"PREPEND no header", None, "PREPEND must be followed by a header, name: text"),
        (b"REPLACE", None, "REPLACE must be followed by a text"),
    ],
)
def test_what_a_table_cannot_mean(answer: MapOutcome, verdict: object, complaint: str) -> None:
    """A message that was to be held is not passed on; what means nothing is told, and changes nothing."""
    run = Run(framed("a: b\n\nx\n"), lambda lookup: answer if lookup.key == b"a: b" else None)
    assert run.verdict == verdict
    assert run.complaints == [complaint]
    assert run.passed == (b"" if verdict else framed("a: b\n\nx\n"))


def test_case_77_a_body_is_looked_at_as_far_as_its_limit() -> None:
    """51200 bytes of each part, each line end as one; encoded text is not decoded."""
    lines = "".join(f"{number:07d}\n" for number in range(7000))
    head = "Content-Type: multipart/mixed; boundary=b\n\n"
    run = Run(framed(f"{head}--b\n\n{lines}--b\n\n{lines}--b--\n"), nothing)
    seen = [line for line in run.asked if line.startswith("B 0")]
    assert len(seen) == 2 * (51200 // 8)
    assert len(run.passed) == len(framed(f"{head}--b\n\n{lines}--b\n\n{lines}--b--\n"))


def test_case_77_a_long_line_is_looked_at_in_pieces() -> None:
    """Of 2048 bytes; a dot at its start is no part of it, and one at the start of a piece is."""
    line = "." * 2049 + "x" * 951
    run = Run(framed(f"\n{line}\n"), nothing)
    assert run.asked == ["B " + "." * 2047, "B .." + "x" * 951]
    assert run.passed == framed(f"\n{line}\n")


@pytest.mark.parametrize(("size", "pieces"), [(2047, [2047]), (2048, [2048]), (2049, [2048, 1]), (4096, [2048, 2048])])
def test_how_long_a_line_may_be(size: int, pieces: list[int]) -> None:
    """The line end counts, but is never cut off alone into a key."""
    assert [len(one) - 2 for one in Run(framed("\n" + "x" * size + "\n"), nothing).asked] == pieces


def test_a_piece_that_is_taken_away_makes_no_line_end_of_its_own() -> None:
    """Postfix glues what is left of a line to the next one; a dot that begins a line then is doubled."""
    line = "x" * 2048 + ".\n"
    assert Run(framed(f"\n{line}.\n"), says(b"x" * 2048, b"IGNORE")).passed == framed("\n.\n.\n")
    assert Run(framed(f"\n{line}.\ny\n"), says(b".", b"IGNORE")).passed == framed("\n" + "x" * 2048 + "y\n")
    assert Run(framed(f"\n{line}"), says(b".", b"IGNORE")).passed == framed("\n" + "x" * 2048 + "\n")


@pytest.mark.parametrize(
    ("head", "seen", "passed"),
    [
        ("a: 1\n" + " 3456789\n" * 9, 31, 30),
        ("a : 1\n" + " 3456789\n" * 9, 32, 31),
        ("a: " + "x" * 40 + "\n", 43, 30),
        ("a: " + "x" * 27 + "\n b\n", 30, 30),
        ("a: " + "x" * 26 + "\n bc\n d\n", 33, 29),
        ("a: " + "x" * 25 + "\n bc\n d\n", 32, 30),
        ("a: " + "x" * 5000 + "\n b\n c\n", 2048, 30),
    ],
    ids=lambda text: str(text)[:9],
)
def test_of_a_long_header_the_rest_is_dropped(head: str, seen: int, passed: int) -> None:
    """header_size_limit, each newline counted; the line that passes it is looked at as a whole."""
    settings = ContentSettings(HEADER, MIME, NESTED, BODY, header_size_limit=30)
    run = Run(framed(f"{head}b: 2\n\nx\n"), nothing, settings)
    assert run.asked == [f"H {head[:seen]}".replace(" :", ":"), "H b: 2", "B x"]
    assert run.passed == framed(f"{head[:passed]}\nb: 2\n\nx\n")


@pytest.mark.parametrize(("depth", "refused"), [(100, False), (102, False), (103, True)])
def test_what_is_nested_too_deep_is_refused(depth: int, refused: bool) -> None:
    """mime_nesting_limit, as Postfix counts; without checks of headers nobody is refused for it."""
    text = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    run = Run(framed(text), nothing)
    assert run.verdict == (TOO_DEEP if refused else None)
    assert [note.part for note in run.notes] == [b"mime-error MIME nesting exceeds safety limit:"] * refused
    assert Run(framed(text), nothing, ContentSettings(body_checks=BODY)).verdict is None


def test_where_nobody_looks_boundaries_are_found_still() -> None:
    """Headers of parts behind a body that is not looked at."""
    lines = "--\n-\n--c\n.\n..\n---b\n" + "x" * 5000 + "\n--b" + "y" * 5000 + "\n"
    text = f"Content-Type: multipart/mixed; boundary=b\n\n{lines}Content-Type: a/b\n\n{lines}X-Part: 2\n\n--b--\nq: z\n"
    for step in (1, 7, 100_000):
        run = Run(framed(text), nothing, ContentSettings(HEADER, MIME, NESTED), range(0, 21_000, step))
        assert run.asked == ["M Content-Type: multipart/mixed; boundary=b", "M Content-Type: a/b", "M X-Part: 2"]
        assert run.passed == framed(text)


_WORDS = ["a: b", "Content-Type: multipart/mixed; boundary=b", "Content-Type: message/rfc822", "", "", "--b", "--b--"]
_WORDS += [" x", ".", "..", "-", "--", "x" * 2048, "." * 2050, "\r", "a\rb", "\0", "From x", "\xff"]
LINES = st.lists(st.sampled_from(_WORDS), max_size=25)
CUTS = st.lists(st.integers(0, 3000), max_size=6)
VALUES = [None, *(row[0].encode() for row in ACTIONS[:7]), b"REPLACE x: .", b"PREPEND .", b"PREPEND a: \r\n.\r\nb"]


@given(LINES, CUTS)
@example(["", "x" * 2048], [2049, 2050])
def test_what_no_table_knows_passes_as_it_is(lines: list[str], cuts: list[int]) -> None:
    """Byte for byte, however it comes, and the same is asked."""
    content = framed("\n".join(["", *lines, ""]))[2:]
    for settings in (ALL, ContentSettings(HEADER), ContentSettings(body_checks=BODY, body_checks_size_limit=100)):
        whole, cut = Run(content, nothing, settings), Run(content, nothing, settings, cuts)
        assert cut.passed == content
        assert cut.asked == whole.asked


@given(LINES, CUTS, st.dictionaries(st.sampled_from(_WORDS), st.sampled_from([None, b"OK", b"PASS", b"WARN", b"INFO"])))
@example(["x: y", "a: b", "c: d"], [], {"x: y": b"PASS"})
def test_what_changes_nothing_passes_as_it_is(
    lines: list[str], cuts: list[int], table: dict[str, bytes | None]
) -> None:
    """Byte for byte, also behind PASS."""
    content = framed("\n".join(["", *lines, ""]))[2:]
    assert Run(content, lambda lookup: table.get(lookup.key.decode("latin-1")), ALL, cuts).passed == content


@given(LINES, CUTS, st.dictionaries(st.sampled_from(_WORDS), st.sampled_from(VALUES)))
def test_whatever_tables_say_content_stays_framed(
    lines: list[str], cuts: list[int], table: dict[str, bytes | None]
) -> None:
    """Its end is the only one, no line ends in another way, and all of it is there."""
    content = framed("\n".join(["", *lines, ""]))[2:]
    passed = Run(content, lambda lookup: table.get(lookup.key.decode("latin-1")), ALL, cuts).passed
    reader = Content(BareNewline.REJECT)
    assert reader.receive(passed + b".\r\nrest") == passed
    assert (reader.ended, reader.flawed, reader.rest) == (True, False, b"rest")


def test_a_discarded_message_is_none() -> None:
    """What was passed before is not taken back; its end is never told."""
    assert Run(framed("a: b\n\nx\n"), says(b"x", b"DISCARD")).verdict == DISCARDED
