"""Where in a message we are: headers of which kind, or a body (mime_state.c). Never decides what is looked up."""

import enum
from typing import NamedTuple

from .content_type import content_type


class Section(enum.Enum):
    """PRIMARY: the message's own headers. MULTIPART: of a part. NESTED: of a message in it. BODY: no headers."""

    PRIMARY = "primary"
    MULTIPART = "multipart"
    NESTED = "nested"
    BODY = "body"


class _Enclosing(NamedTuple):
    """A body with parts. boundary: as far as it is compared. is_digest: its parts are messages unless they say so."""

    boundary: bytes
    is_digest: bool


class Structure:
    """The state of one message. section: where we are. offset: bytes of this body so far, each line end as one."""

    def __init__(self, nesting_limit: int, boundary_limit: int) -> None:
        """Begin with the message's headers. nesting_limit: parts within parts. boundary_limit: bytes compared."""
        self.section = Section.PRIMARY
        self.offset = 0
        self._nesting_limit = nesting_limit
        self._boundary_limit = boundary_limit
        self._is_message = False
        self._enclosing: list[_Enclosing] = []

    @property
    def has_parts(self) -> bool:
        """Whether a boundary may come."""
        return bool(self._enclosing)

    def take_content_type(self, value: bytes) -> bool:
        """Learn what the body behind these headers is -> False where it is nested too deep."""
        said = content_type(value)
        if said is None:
            return True
        self._is_message = said.is_message
        is_sound = True
        for boundary in said.boundaries:
            # Postfix counts from -1.
            if len(self._enclosing) > self._nesting_limit + 1:
                is_sound = False
            else:
                self._enclosing.append(_Enclosing(boundary[: self._boundary_limit], said.is_digest))
        return is_sound

    def end_headers(self, *, is_blank: bool) -> None:
        """End headers. is_blank: by an empty line, not by one that is none of them."""
        self.offset = 0
        self.section = Section.NESTED if is_blank and self._is_message else Section.BODY
        self._is_message = False

    def take_dashes(self, line: bytes) -> None:
        """Learn from a line that begins with ``--`` whether a part begins or the last one has ended."""
        if len(line) == 2:
            return
        for depth in range(len(self._enclosing), 0, -1):
            enclosing = self._enclosing[depth - 1]
            if not line.startswith(enclosing.boundary, 2):
                continue
            del self._enclosing[depth:]
            if line.startswith(b"--", 2 + len(enclosing.boundary)):
                self._enclosing.pop()
                self.section, self._is_message, self.offset = Section.BODY, False, 0
            else:
                self.section, self._is_message = Section.MULTIPART, enclosing.is_digest
            return

    def pass_body(self, size: int) -> None:
        """Note a line or a piece of one. size: its bytes without the line end."""
        self.offset += size + 1
