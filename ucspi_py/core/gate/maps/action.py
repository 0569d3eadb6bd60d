"""What the values of access tables and of content checks have in common (access(5), header_checks(5))."""

import re
from typing import NamedTuple

from ...text import shown

#: What needs a queue; to pass over it would deliver what was to be held back, or to whom it was not meant.
QUEUE_ACTIONS = frozenset((b"FILTER", b"HOLD", b"REDIRECT", b"BCC"))

#: RFC 5322, 2.2 and 4.5 (is_header.c).
HEADER_NAME = re.compile(rb"([!-9;-~]+)[ \t]*(?=:)")


class Action(NamedTuple):
    """verb: in capitals. text: what stands behind it."""

    verb: bytes
    text: bytes


def action(value: bytes) -> Action:
    """Split a value into its verb and what stands behind it."""
    verb = re.split(rb"[ \t]", value, maxsplit=1)[0]
    return Action(verb.upper(), value[len(verb) :].lstrip())


def needs_queue(verb: bytes) -> str:
    """Make the sentence about an action that the gate cannot do. verb: one of QUEUE_ACTIONS."""
    return f"{shown(verb)} needs a queue, and the gate has none"


def is_header(text: bytes) -> bool:
    """Whether a line begins a header."""
    return HEADER_NAME.match(text) is not None
