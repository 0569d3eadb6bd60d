"""The parameters of milters (postconf(5), MILTER_README)."""

from collections.abc import Callable

from ..language import values
from ..language.parameter import Parameter
from . import words

PREFIX, MACROS_SUFFIX = "milter_", "_macros"
LIST, MAPS, CHECKS = "smtpd_milters", "smtpd_milter_maps", "milter_header_checks"
#: Each a list of tables.
TABLES = (MAPS, CHECKS)
DAEMON_NAME, VERSION, DEFAULTS = "milter_macro_daemon_name", "milter_macro_v", "milter_macro_defaults"

#: The lists of macros by the event with which they are sent, and what each has by default.
MACROS = {
    "connect": "j {daemon_name} {daemon_addr} v _",
    "helo": "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    "mail": "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    "rcpt": "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    "data": "i",
    "unknown_command": "",
    "end_of_header": "i",
    "end_of_data": "i",
}


def _one(name: str, parse: Callable[[str], object], default: str, explanation: str) -> Parameter:
    return Parameter(PREFIX + name, "", parse, default, explanation)


#: What may stand in the braces of one milter, too.
SETTINGS = (
    _one("connect_timeout", values.seconds(1), "30s", "time to connect to a milter"),
    _one("command_timeout", values.seconds(1), "30s", "time for a milter's answer to a command"),
    _one("content_timeout", values.seconds(1), "300s", "time for a milter's answer to a piece of a message"),
    _one(
        "default_action", words.default_action, "tempfail", "where a milter fails: accept, reject, tempfail, shutdown"
    ),
    _one("protocol", words.protocol, "6", "version of the milter protocol: 2, 3, 4 or 6"),
)
PARSE = {one.name.removeprefix(PREFIX): one.parse for one in SETTINGS}

#: The value of the list is its text: whoever asks milters parses its words.
PARAMETERS = (
    Parameter(LIST, "", values.text, "", "milters that hear each client, in their order"),
    Parameter(MAPS, "", values.text, "", "tables by a client's address: its own milters instead, or DISABLE"),
    *SETTINGS,
    *(
        _one(name + MACROS_SUFFIX, words.macros, default, f"macros that milters get at {name.replace('_', ' ')}")
        for name, default in MACROS.items()
    ),
    Parameter(CHECKS, "", values.text, "", "tables about headers that milters add or change"),
    Parameter(
        DAEMON_NAME, "", values.text, "$myhostname", "macro {daemon_name}; ORIGINATING: who comes here sends mail"
    ),
    Parameter(VERSION, "", values.text, "$mail_name $mail_version", "macro v"),
    Parameter(DEFAULTS, "", words.macro_defaults, "", "values of macros that have none, name=value"),
)
