"""When a client has been silent, slow or here for too long (RFC 5321, 4.5.3.2; postconf(5)). Never has a clock.

All times are seconds of the monotonic clock.
"""

import math

from .settings import SmtpSettings

#: Seconds for which a client may be here without a message that was taken.
WITHOUT_MESSAGE = 3600.0


class SessionTime:
    """The times of one session. settings: its limits. now: when it begins.

    waits_since: when content began to wait for us; None = it does not.
    """

    __slots__ = ("_content_began", "_heard", "_message_taken", "_settings", "waits_since")

    def __init__(self, settings: SmtpSettings, now: float) -> None:
        self._settings = settings
        self._heard = self._message_taken = now
        self._content_began = math.inf
        self.waits_since: float | None = None

    def heard(self, now: float) -> None:
        """Note that a whole command, or a piece of content, has come. A part of a command is nothing."""
        self._heard = now

    def content_begins(self, now: float) -> None:
        """Note that content begins, for which smtpd_min_data_rate holds."""
        self._heard = self._content_began = now

    def content_waits(self, now: float) -> None:
        """Note that no more content is read for now, which is not the client's fault."""
        if self.waits_since is None:
            self.waits_since = now

    def content_goes_on(self, now: float) -> None:
        """Note that content is read again, if it was not."""
        if self.waits_since is not None:
            self._heard += now - self.waits_since
            self._content_began += now - self.waits_since
            self.waits_since = None

    def message_taken(self, now: float) -> None:
        """Note that a message was taken."""
        self._message_taken = now

    def is_over(self, now: float, idle_limit: float) -> bool:
        """Whether a client that is to say a command has had its time. idle_limit: seconds for it, now."""
        return now >= self._heard + idle_limit or now >= self._message_taken + WITHOUT_MESSAGE

    def content_is_over(self, now: float, size: int) -> bool:
        """Whether a client that sends content has had its time: for the next piece, or for all of it at the least rate.

        size: bytes of content so far. Postfix (smtpd_min_data_rate): smtpd_timeout in the beginning, and more with each
        byte.
        """
        if self.waits_since is not None:
            return False
        rate = self._settings.min_data_rate
        slowest = self._content_began + size / rate if rate else math.inf
        return now >= min(self._heard, slowest) + self._settings.timeout
