"""Command lines read: verb, argument, the paths and parameters of MAIL and RCPT (RFC 5321, 4.1). Knows syntax only."""

import re
from typing import NamedTuple

from .envelope import Parameters
from .path import NULL, Path, parse_path
from .reply import Reply, reply

_MAIL_SYNTAX = reply(501, b"5.5.4 Syntax: MAIL FROM:<address>")
_RCPT_SYNTAX = reply(501, b"5.5.4 Syntax: RCPT TO:<address>")
_BAD_SENDER = reply(501, b"5.1.7 Bad sender address syntax")
_BAD_RECIPIENT = reply(501, b"5.1.3 Bad recipient address syntax")
_NO_UTF8 = reply(553, b"5.6.7 Must declare SMTPUTF8 to send unicode address")

#: RFC 5321, 4.1.2: esmtp-param, with the UTF-8 of RFC 6531, 3.3. Postfix takes = in a value, too.
_PARAMETER = re.compile(rb"([0-9A-Za-z][0-9A-Za-z-]*)(?:=([!-~\x80-\xff]+))?")
#: Bytes of a parameter that are told to the client.
_QUOTE_LIMIT = 100


class Command(NamedTuple):
    """A command line. verb: in capitals; b"" of an empty line. argument: without blanks at either end."""

    verb: bytes
    argument: bytes


class Mail(NamedTuple):
    """What MAIL says."""

    sender: Path
    parameters: Parameters


class Rcpt(NamedTuple):
    """What RCPT says."""

    recipient: Path
    parameters: Parameters


def parse(line: bytes) -> Command:
    """Split a line into its verb and its argument; blanks and tabs may stand anywhere around them, as for Postfix."""
    words = line.split(None, 1)
    if not words:
        return Command(b"", b"")
    return Command(words[0].upper(), words[1].rstrip() if len(words) > 1 else b"")


def is_mail(argument: bytes) -> bool:
    """Whether MAIL's argument has FROM: and something behind it, be it an address or not."""
    return bool(_behind(argument, b"FROM:"))


def is_rcpt(argument: bytes) -> bool:
    """Whether RCPT's argument has TO: and something behind it, be it an address or not."""
    return bool(_behind(argument, b"TO:"))


def parse_mail(argument: bytes, *, strict: bool, utf8: bool) -> Mail | Reply:
    """Read MAIL's argument -> what it says, or the reply to what is wrong with it.

    strict: no address without < and >. utf8: MAIL may declare SMTPUTF8 and then have UTF-8 in its address.
    """
    said = _behind(argument, b"FROM:")
    if not said:
        return _MAIL_SYNTAX
    parsed = parse_path(said, strict=strict, utf8=True)
    if parsed is None:
        return _BAD_SENDER
    sender, rest = parsed
    parameters = parse_parameters(rest)
    if isinstance(parameters, Reply):
        return parameters
    if not said.isascii() and not (utf8 and (b"SMTPUTF8", None) in parameters):
        return _NO_UTF8
    return Mail(sender, parameters)


def parse_rcpt(argument: bytes, *, strict: bool, utf8: bool) -> Rcpt | Reply:
    """Read RCPT's argument -> what it says, or the reply to what is wrong with it.

    strict: no address without < and >. utf8: MAIL has declared SMTPUTF8.
    """
    said = _behind(argument, b"TO:")
    if not said:
        return _RCPT_SYNTAX
    parsed = parse_path(said, strict=strict, utf8=True)
    if parsed is None or parsed[0] == NULL:
        return _BAD_RECIPIENT
    recipient, rest = parsed
    if not said.isascii() and not utf8:
        return _NO_UTF8
    parameters = parse_parameters(rest)
    return parameters if isinstance(parameters, Reply) else Rcpt(recipient, parameters)


def parse_parameters(rest: bytes) -> Parameters | Reply:
    """Read the parameters behind a path -> names in capitals and values, or the reply to the first that is none."""
    parameters: dict[bytes, bytes | None] = {}
    for word in rest.split():
        found = _PARAMETER.fullmatch(word)
        if found is None:
            return reply(501, b"5.5.4 Bad parameter syntax: " + word[:_QUOTE_LIMIT])
        name = found[1].upper()
        if name in parameters:
            return reply(501, b"5.5.4 Duplicate parameter: " + name[:_QUOTE_LIMIT])
        parameters[name] = found[2]
    return tuple(parameters.items())


def _behind(argument: bytes, word: bytes) -> bytes:
    """What stands behind FROM: or TO:, without blanks before it; b"" where nothing does."""
    if argument[: len(word)].upper() != word:
        return b""
    return argument[len(word) :].lstrip()
