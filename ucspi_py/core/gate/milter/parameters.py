"""The parameters of milters (postconf(5), MILTER_README)."""

from collections.abc import Callable

from ...milter.words import Event
from ..language import values
from ..language.parameter import Parameter
from . import words
from .settings import DEFAULT_MACROS

PREFIX = "milter_"
LIST = "smtpd_milters"

#: The lists of macros, by the event with which they are sent.
MACROS = {
    "connect": Event.CONNECT,
    "helo": Event.HELO,
    "mail": Event.MAIL,
    "rcpt": Event.RCPT,
    "data": Event.DATA,
    "unknown_command": Event.UNKNOWN,
    "end_of_header": Event.EOH,
    "end_of_data": Event.END,
}


def _one(name: str, parse: Callable[[str], object], default: str, explanation: str) -> Parameter:
    return Parameter(PREFIX + name, "", parse, default, explanation)


#: What may stand in the braces of one milter, too.
SETTINGS = (
    _one("connect_timeout", values.seconds(1), "30s", "time to connect to a milter"),
    _one("command_timeout", values.seconds(1), "30s", "time for a milter's answer to a command"),
    _one("content_timeout", values.seconds(1), "300s", "time for a milter's answer to a piece of a message"),
    _one("default_action", words.default_action, "tempfail", "what is done where a milter fails"),
    _one("protocol", words.protocol, "6", "version of the milter protocol, 2 to 6"),
)
PARSE = {one.name.removeprefix(PREFIX): one.parse for one in SETTINGS}

#: Not in the one table yet: until milters are asked at the gate, smtpd_milters is refused.
PARAMETERS = (
    *SETTINGS,
    *(
        _one(f"{name}_macros", words.macros, b" ".join(DEFAULT_MACROS[event]).decode(), f"macros sent at {name}")
        for name, event in MACROS.items()
    ),
)
