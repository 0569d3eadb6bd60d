"""What the answer to a probe means, and the exit code of all of them."""

import enum
from collections.abc import Collection

from ..errors import Failure
from ..smtp.reply import Reply
from .probes import Expected, Probe

#: The exit code of a test that has found something.
_FOUND = 1


class Verdict(enum.Enum):
    """The word of the table.

    OK: as it has to be. RELAYS: a client may relay that should not. REFUSED: one may not send that should. LOOK: taken
    as a mailbox of the host's own, which is well unless it is sent on from there. UNTOLD: not for now, or no answer.
    """

    OK = "ok"
    RELAYS = "RELAYS"
    REFUSED = "REFUSED"
    LOOK = "look"
    UNTOLD = "untold"


#: Whoever is told to come back may be let in then.
_TAKEN = {
    Expected.TAKEN: Verdict.OK,
    Expected.REFUSED: Verdict.RELAYS,
    Expected.STAYS: Verdict.LOOK,
    Expected.ANY: Verdict.OK,
}


def judge(probe: Probe, reply: Reply | None, *, keeps: bool) -> Verdict:
    """Judge a probe by the reply to it. reply: None = there was none. keeps: the host sends no mailbox of its own on.

    A stranger's recipient that is refused for now (4xx) may be taken at the next try, so that nothing is told by it.
    """
    if reply is None or reply.code // 100 not in (2, 5):
        return Verdict.UNTOLD
    if reply.is_positive:
        return Verdict.OK if keeps and probe.expected is Expected.STAYS else _TAKEN[probe.expected]
    return Verdict.REFUSED if probe.expected is Expected.TAKEN else Verdict.OK


def exit_code(verdicts: Collection[Verdict]) -> int:
    """Return 1 where somebody may relay who should not, or may not who should; 111 where that is not told; or 0."""
    if Verdict.RELAYS in verdicts or Verdict.REFUSED in verdicts:
        return _FOUND
    return Failure.exit_code if Verdict.UNTOLD in verdicts or not verdicts else 0
