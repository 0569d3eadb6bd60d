"""One message looked into while it is passed on: one header or one line is held at a time (cleanup_message.c).

sans-IO: feed what came, look up what next() asks, answer it, pass on what take_output() gives.
"""

from collections.abc import Generator

from ...smtp.reply import Reply
from ..maps.action import QUEUE_ACTIONS, Action, action
from ..maps.names import Broken
from ..restrictions.judgement import DISCARDED
from ..restrictions.questions import MapOutcome
from . import actions
from .checked import BODY, HEADER, MIME_ERROR, TOO_DEEP, UNCHECKED, Lookup, Note
from .header import Header
from .output import Output
from .records import Record, Records
from .settings import ContentSettings, Maps
from .structure import Section, Structure

#: Lines that are looked at until whoever asks may do something else.
_AT_ONCE = 64

_DROPPING = frozenset((b"IGNORE", b"STRIP"))
_WRITING = frozenset((b"PREPEND", b"REPLACE"))
#: What is noted of a message that passes all the same, in the words of restriction lists.
_IN_DRY_RUN = {b"reject": b"reject_warning", b"discard": b"warn"}
_NOTHING = Action(b"DUNNO", b"")

_Steps = Generator[Lookup | None, MapOutcome, None]


class CheckedMessage:
    """One message.

    verdict: what the client is told of it instead of what the backend says; None = it passes, so far. notes: for the
    log, in their order. complaints: sentences about tables. Whoever reads these two empties them. is_done: nothing is
    to be asked until more comes. above: how many headers stand above those of the client, so far.
    """

    def __init__(self, settings: ContentSettings, *, dry_run: bool = False) -> None:
        """Begin with a message. dry_run: what would end it is noted, and then it passes."""
        self.verdict: Reply | None = None
        self.notes: list[Note] = []
        self.complaints: list[str] = []
        self.is_done = True
        self.above = self._of_lists = 0
        self._settings = settings
        self._dry_run = dry_run
        self._records = Records(settings.line_length_limit)
        self._structure = Structure(settings.mime_nesting_limit, settings.mime_boundary_length_limit)
        self._output = Output()
        self._header: Header | None = None
        self._is_top = True
        self._is_passed = False
        self._has_ended = False
        self._steps = self._work()
        next(self._steps)

    @property
    def waiting(self) -> int:
        """Bytes that were fed and not looked at."""
        return self._records.waiting

    def begin_with(self, count: int) -> None:
        """Follow what becomes of the headers of lists, which come first. count: of them."""
        self.above = self._of_lists = count

    def feed(self, content: bytes) -> None:
        """Take content, framed, in pieces of any size."""
        self._records.feed(content)
        self.is_done = False

    def end(self) -> None:
        """Take the end of content."""
        self._has_ended = True
        self.is_done = False

    def next(self, answer: MapOutcome = None) -> Lookup | None:
        """Work on -> what is to be looked up; None = ask again, unless is_done. answer: to what was asked last."""
        return self._steps.send(answer)

    def take_output(self) -> bytes:
        """Take what may be passed on since the last call, framed."""
        return self._output.take()

    def _work(self) -> _Steps:
        """All that is done with a message, a step for each record. Yields None where it need not go on at once."""
        while True:
            yield None
            for _ in range(_AT_ONCE):
                if self.verdict:
                    self._records.take_all()
                elif self._is_unseen:
                    self._pass_unseen()
                record = self._records.next()
                if record is None:
                    if self._has_ended and not self.verdict:
                        yield from self._end_header()
                        self._output.end_line()
                    self.is_done = True
                    break
                yield from self._take(record)
                if self.verdict:
                    self._output.take()

    @property
    def _is_unseen(self) -> bool:
        """Whether what comes next is looked at by nobody, but for a boundary."""
        if self._output.begins != self._records.begins:
            return False
        return self._is_passed or (self._structure.section is Section.BODY and not self._looks_at_body)

    @property
    def _looks_at_body(self) -> bool:
        limit = self._settings.body_checks_size_limit
        return bool(self._settings.body_checks) and (not limit or self._structure.offset < limit)

    def _pass_unseen(self) -> None:
        may_end = self._structure.has_parts and not self._is_passed
        data = self._records.take_to_boundary() if may_end else self._records.take_all()
        self._output.put_framed(data)

    def _take(self, record: Record) -> _Steps:
        """Look at a record: where it belongs, and what becomes of the header that it ends."""
        # The rest of a long boundary is no header, and ends none; Postfix loses the part behind it.
        if self._structure.section is not Section.BODY and (record.is_first or self._header):
            if self._header and self._header.continues(record):
                self._header.add(record)
                return
            yield from self._end_header()
            if self.verdict:
                return
            if self._is_passed:
                self._output.put(record.text, is_whole=record.is_whole)
                return
            self._header = Header.begun(record, self._settings.header_size_limit, is_top=self._is_top)
            self._is_top = False
            if self._header:
                return
            self._structure.end_headers(is_blank=not record.text.strip(b"\r"))
        yield from self._take_body(record)

    def _end_header(self) -> _Steps:
        """Look up the header that is held, and pass on what becomes of it."""
        header, self._header = self._header, None
        if header is None:
            return
        is_sound = True
        if header.name == b"content-type" and not self._settings.disable_mime_input_processing:
            is_sound = self._structure.take_content_type(header.value)
        action = yield from self._judge(self._maps_of(header), header.text, HEADER)
        self._pass_header(header, action)
        if not is_sound and self._settings.checks_headers and not self.verdict:
            self._note(b"reject", MIME_ERROR, header.text, b"")
            self._end(TOO_DEEP)

    def _maps_of(self, header: Header) -> Maps:
        settings = self._settings
        if header.is_about_mime:
            return settings.mime_header_checks
        match self._structure.section:
            case Section.MULTIPART:
                return settings.mime_header_checks
            case Section.NESTED:
                return settings.nested_header_checks
        return settings.header_checks

    def _pass_header(self, header: Header, action: Action) -> None:
        if self._of_lists:
            self._of_lists -= 1
            self.above += (action.verb == b"PREPEND") - (action.verb in _DROPPING)
        if action.verb in _DROPPING:
            return
        if action.verb in _WRITING:
            self._output.put_header(action.text)
        if action.verb != b"REPLACE":
            for record in header.records:
                self._output.put(record.text, is_whole=record.is_whole)
            self._output.end_line()

    def _take_body(self, record: Record) -> _Steps:
        """Look up a line of a body, or one that divides bodies from headers, and pass on what becomes of it."""
        if record.is_first and record.text.startswith(b"--"):
            self._structure.take_dashes(record.text)
        action = _NOTHING
        if self._looks_at_body:
            key = record.text.rstrip(b"\r") if record.is_whole else record.text
            action = yield from self._judge(self._settings.body_checks, key, BODY)
        self._structure.pass_body(len(record.text))
        if action.verb in _DROPPING:
            return
        if action.verb == b"PREPEND":
            self._output.put_text(action.text)
        if action.verb == b"REPLACE":
            self._output.put_text(action.text, is_whole=record.is_whole)
        else:
            self._output.put(record.text, is_whole=record.is_whole)

    def _judge(self, maps: Maps, key: bytes, part: bytes) -> Generator[Lookup | None, MapOutcome, Action]:
        """Look a key up, and do what is to be done with the message as a whole."""
        value = (yield Lookup(maps, key)) if maps and key else None
        if value is None:
            return _NOTHING
        if isinstance(value, Broken):
            self._give_up(value.sentence)
            return _NOTHING
        found = action(value)
        flaw = actions.flaw(value, of_header=part is HEADER)
        if flaw and found.verb in QUEUE_ACTIONS:
            self._give_up(flaw)
        elif flaw:
            self.complaints.append(flaw)
        else:
            self._do(found, part, key)
            return found
        return _NOTHING

    def _give_up(self, sentence: str) -> None:
        self.complaints.append(sentence)
        self._end(UNCHECKED)

    def _do(self, action: Action, part: bytes, key: bytes) -> None:
        text = action.text
        if action.verb == b"REJECT":
            text = actions.reason(text)
            self._end(actions.refusal(text))
        elif action.verb == b"DISCARD":
            self._end(DISCARDED)
        elif action.verb == b"PASS":
            self._is_passed = True
        noted = actions.NOTED.get(action.verb)
        if noted:
            self._note(noted, part, key, text)

    def _end(self, verdict: Reply) -> None:
        """Let this be the last of the message that is looked at."""
        if self._dry_run:
            self._is_passed = True
        else:
            self.verdict = verdict

    def _note(self, action: bytes, part: bytes, content: bytes, text: bytes) -> None:
        action = _IN_DRY_RUN.get(action, action) if self._dry_run else action
        self.notes.append(Note(action, part, content, text))
