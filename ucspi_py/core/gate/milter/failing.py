"""What a client hears where a milter fails (milter8.c, milter8_comm_error and milter8_conf_error)."""

from ...milter.failure import MilterFailed
from ...smtp.reply import Reply, reply
from .settings import DefaultAction

_OF_FAILED = {
    DefaultAction.ACCEPT: None,
    DefaultAction.REJECT: reply(550, b"5.5.0 Service unavailable"),
    DefaultAction.TEMPFAIL: reply(451, b"4.7.1 Service unavailable - try again later"),
    DefaultAction.SHUTDOWN: reply(421, b"4.7.1 Service unavailable - try again later"),
}
#: A milter that cannot be understood refuses nobody for good.
_MISCONFIGURED = reply(451, b"4.3.5 Server configuration problem - try again later")
_OF_MISCONFIGURED = {
    DefaultAction.ACCEPT: None,
    DefaultAction.REJECT: _MISCONFIGURED,
    DefaultAction.TEMPFAIL: _MISCONFIGURED,
    DefaultAction.SHUTDOWN: _MISCONFIGURED._replace(code=421),
}


def reply_for(failure: MilterFailed, action: DefaultAction) -> Reply | None:
    """Tell what a client hears at each of its commands from then on; None = nothing, it goes on without the milter."""
    return (_OF_MISCONFIGURED if failure.misconfigured else _OF_FAILED)[action]
