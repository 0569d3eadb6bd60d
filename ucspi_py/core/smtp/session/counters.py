"""Commands and errors of a session counted, as Postfix's smtpd does (smtpd.c, smtpd_proto)."""

from ..settings import SmtpSettings


class Counters:
    """What a client has done so far.

    verbs: accepted, and all, commands by verb. errors: commands that were not carried out, since the last message was
    accepted.
    """

    __slots__ = ("_junk", "errors", "verbs")

    def __init__(self) -> None:
        self.verbs: dict[bytes, list[int]] = {}
        self.errors = 0
        self._junk = 0

    def begin(self, verb: bytes) -> None:
        """Count a command."""
        counts = self.verbs.get(verb)
        if counts is None:
            self.verbs[verb] = [0, 1]
        else:
            counts[1] += 1

    def settle(self, verb: bytes, accepted: bool) -> None:
        """Count what became of a command."""
        if accepted:
            self.verbs[verb][0] += 1
        else:
            self.errors += 1

    def count_junk(self, limit: int) -> None:
        """Count a command that leads nowhere. limit: how many are free (smtpd_junk_command_limit), and one more."""
        if self._junk > limit:
            self.errors += 1
        self._junk += 1

    def forgive(self) -> None:
        """Forget errors and junk, for a message was accepted."""
        self.errors = self._junk = 0

    def slows(self, settings: SmtpSettings) -> bool:
        """Whether the client waits for each of its replies (smtpd_soft_error_limit)."""
        return self.errors >= settings.soft_error_limit and settings.error_sleep_time > 0
