"""The parameters of a gate: what each is called, takes and does, and how an operator's words become settings.

--help, the manual page and the checks are made of the one table below. Names and meanings are Postfix's (postconf(5)).
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, NamedTuple

from ...errors import AskedWrongly
from ...importers.postfix.lines import logical_lines
from ...smtp.settings import SmtpSettings
from ..settings import QMAIL_CONTROL, GateSettings
from . import values
from .expansion import Expansion, Pieces, unknown


class Parameter(NamedTuple):
    """One parameter.

    field: of the settings in which its value stands. parse: its text -> its value; raises ValueError. default: the text
    of its default; None where a control file has that. explanation: one line.
    """

    name: str
    field: str
    parse: Callable[[str], object]
    default: str | None
    explanation: str


class Setting(NamedTuple):
    """One ``name = value``. where: the place that has it, for a message."""

    name: str
    value: str
    where: str


_NAME, _BANNER = "myhostname", "smtpd_banner"

PARAMETERS = (
    Parameter(_NAME, _NAME, values.host_name, None, "our name in replies; control/me where it is not set"),
    Parameter(_BANNER, _BANNER, values.printable, None, "text behind 220; as qmail greets where it is not set"),
    Parameter(
        "message_size_limit",
        "message_size_limit",
        values.number(0),
        None,
        "bytes of a message, 0 = any; of this and databytes the smaller counts",
    ),
    Parameter("mynetworks", "mynetworks", values.networks, "127.0.0.0/8 [::1]/128", "networks that may relay"),
    Parameter("relay_domains", "relay_domains", values.domains, "", "domains beside rcpthosts, with all below them"),
    Parameter("qmail_control", "qmail_control", values.path, QMAIL_CONTROL, "directory of qmail's control files"),
    Parameter("smtpd_timeout", "timeout", values.seconds(1), "300s", "time for which a client may say nothing"),
    Parameter("smtpd_recipient_limit", "recipient_limit", values.number(1), "1000", "recipients of one message"),
    Parameter(
        "smtpd_recipient_overshoot_limit",
        "recipient_overshoot_limit",
        values.number(1),
        "1000",
        "recipients beyond these that are no errors yet",
    ),
    Parameter("smtpd_soft_error_limit", "soft_error_limit", values.number(1), "10", "errors until replies are slow"),
    Parameter("smtpd_hard_error_limit", "hard_error_limit", values.number(1), "20", "errors until the client is left"),
    Parameter("smtpd_error_sleep_time", "error_sleep_time", values.seconds(0), "1s", "time before each slow reply"),
    Parameter(
        "smtpd_junk_command_limit",
        "junk_command_limit",
        values.number(1),
        "100",
        "commands that lead nowhere until they are errors",
    ),
    Parameter("line_length_limit", "line_length_limit", values.number(512), "2048", "bytes of a command line"),
    Parameter("smtpd_min_data_rate", "min_data_rate", values.number(1), "500", "bytes a second of a message"),
    Parameter("smtpd_helo_required", "helo_required", values.yes_no, "no", "no MAIL before HELO or EHLO"),
    Parameter(
        "smtpd_forbid_bare_newline",
        "forbid_bare_newline",
        values.bare_newline,
        "reject",
        "of a message with LF alone: no, normalize, reject; who relays: normalize",
    ),
    Parameter(
        "smtpd_forbid_bare_newline_reject_code",
        "bare_newline_reject_code",
        values.number(400, 599),
        "550",
        "code of the reply to such a message",
    ),
    Parameter(
        "smtpd_forbid_unauth_pipelining",
        "forbid_unauth_pipelining",
        values.yes_no,
        "yes",
        "leave a client that does not wait where it must",
    ),
    Parameter(
        "strict_rfc821_envelopes",
        "strict_rfc821_envelopes",
        values.yes_no,
        "no",
        "take no address without < and >",
    ),
    Parameter("disable_vrfy_command", "disable_vrfy_command", values.yes_no, "no", "refuse VRFY"),
    Parameter(
        "allow_untrusted_routing",
        "allow_untrusted_routing",
        values.yes_no,
        "no",
        "take user%elsewhere in our domains from strangers",
    ),
    Parameter("smtputf8_enable", "smtputf8_enable", values.yes_no, "no", "offer SMTPUTF8; the backend must, too"),
)

_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
_SMTP_FIELDS = frozenset(field.name for field in fields(SmtpSettings))


def from_file(path: str, text: str) -> list[Setting]:
    """Read the logical lines of a file (postconf(5)). path: for messages. Raises AskedWrongly."""
    begun = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            if line[0].isspace() and not begun:
                raise AskedWrongly(f"{path} line {number}: a blank at its start continues a line, and there is none")
            begun = True
    return [_setting(line, f"{path} line {number}") for number, line in logical_lines(text)]


def from_option(words: str) -> Setting:
    """Read ``name=value`` of an option -o. Raises AskedWrongly."""
    return _setting(words, "-o")


def parse(settings: Iterable[Setting]) -> GateSettings:
    """Make the settings of a gate. settings: in their order; of the same name the last one counts, as in Postfix.

    Raises AskedWrongly with the place and the parameter, and with what was expected there.
    """
    given: dict[str, Setting] = {}
    for setting in settings:
        if setting.name not in _BY_NAME:
            raise AskedWrongly(f"{setting.where}: {unknown(setting.name, _BY_NAME)}")
        given[setting.name] = setting
    texts = {one.name: given[one.name].value if one.name in given else one.default for one in PARAMETERS}
    expansion = Expansion(texts, _NAME)
    found: dict[str, Any] = {}
    for name, setting in given.items():
        try:
            found[_BY_NAME[name].field] = _value(_BY_NAME[name], expansion.of(name))
        except ValueError as wrong:
            raise AskedWrongly(f"{setting.where}: {name} {wrong}") from None
    smtp = {field: found.pop(field) for field in _SMTP_FIELDS & found.keys()}
    return GateSettings(smtp=SmtpSettings(**smtp), **found)


def _setting(line: str, where: str) -> Setting:
    name, equals, value = line.partition("=")
    if not equals or not name.strip():
        raise AskedWrongly(f"{where}: '{line}' is not name = value")
    return Setting(name.strip(), value.strip(), where)


def _value(parameter: Parameter, pieces: Pieces) -> object:
    if parameter.name == _BANNER:
        if not any(pieces) and len(pieces) == 1:
            raise ValueError("must be a text, and it is empty")
        return tuple(values.printable(piece) for piece in pieces)
    if len(pieces) > 1:
        raise ValueError(f"refers to ${_NAME}, which must be set for that")
    return parameter.parse(pieces[0])
