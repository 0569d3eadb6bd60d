"""Events of one client within a period that begins with its first, as Postfix's anvil(8) counts them. Reads no clock.

Other than rate's count, which slides, this one begins anew after each period, however many events were refused in it:
a client over its limit gets that much in the next one.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple


class Event(enum.IntEnum):
    """What a client does: it connects, begins a message (MAIL), names a recipient (RCPT), wants to log in (AUTH)."""

    CONNECTION = 0
    MESSAGE = 1
    RECIPIENT = 2
    AUTH = 3


class Window(NamedTuple):
    """The events of a client in its period.

    client: its key, 0 = a free entry. begun: second of the first event. connections, messages, recipients, logins: how
    many.
    """

    client: int
    begun: int
    connections: int = 0
    messages: int = 0
    recipients: int = 0
    logins: int = 0


#: Events of one kind that are counted at most; four bytes hold them.
_MANY = (1 << 32) - 1


def note(window: Window, client: int, event: Event, now: int, period: int) -> tuple[Window, int]:
    """Count one event of a client: its window after it, and how many of the kind are in that, this one included.

    window: the client's, or another one's, which is forgotten. client: its key, not 0. now: second of a clock that
    never goes back. period: seconds.
    """
    if window.client != client or _is_over(window, now, period):
        window = Window(client, now)
    counts = list(window[2:])
    counts[event] = min(counts[event] + 1, _MANY)
    return Window(client, window.begun, *counts), counts[event]


def place(windows: Sequence[Window], client: int, now: int, period: int) -> int:
    """Find the window of a client among some: its index, or that of the one to be forgotten for it.

    Those that are over are forgotten first, then that with the fewest events, and of these the oldest. client: its key.
    now, period: as of note().
    """
    for where, window in enumerate(windows):
        if window.client == client:
            return where
    return min(range(len(windows)), key=lambda where: _worth(windows[where], now, period))


def _worth(window: Window, now: int, period: int) -> tuple[bool, int, int]:
    return not _is_over(window, now, period), sum(window[2:]), window.begun


def _is_over(window: Window, now: int, period: int) -> bool:
    """anvil.c, ANVIL_REMOTE_INCR_RATE: the second in which the period ends belongs to it."""
    return window.begun + period < now
