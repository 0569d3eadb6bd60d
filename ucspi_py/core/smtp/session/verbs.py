"""The verbs by name, and what each does in each state of a session (RFC 5321, 4.1.1 and 4.1.4)."""

from collections.abc import Callable
from typing import NamedTuple

from ..command import is_mail, is_rcpt, parse_mail, parse_rcpt
from ..ehlo import ehlo_reply
from ..envelope import Envelope
from ..events import DataAsked, HeloGiven, RecipientGiven, SenderGiven, TransactionDropped
from ..path import parse_path
from ..reply import Reply
from ..settings import NOTHING
from . import replies
from .outcome import Outcome, Said, accepted, answered
from .parameters import refuse_mail, refuse_rcpt
from .state import State
from .trust_verbs import auth, starttls

#: smtpd.c, NEUTER_CHARACTERS: bytes of a client's name that may stand in no log line or header as they are.
_NEUTER = bytes(byte if 33 <= byte <= 126 and byte not in b'<>()\\";@' else ord("?") for byte in range(256))


def _helo(state: State, argument: bytes) -> Outcome:
    if not argument:
        return replies.HELO_SYNTAX
    return _named(state, HeloGiven(b"HELO", argument, state.envelope))


def _ehlo(state: State, argument: bytes) -> Outcome:
    if not argument:
        return replies.EHLO_SYNTAX
    return _named(state, HeloGiven(b"EHLO", argument, state.envelope))


def _named(state: State, given: HeloGiven) -> Outcome:
    return given if state.judges_early else carried_out(state, given)


def carried_out(state: State, given: HeloGiven | SenderGiven) -> Said:
    """Carry out what nobody has anything against."""
    if isinstance(given, SenderGiven):
        state.envelope = given.envelope
        return replies.SENDER_OK
    if given.verb == b"HELO":
        return accepted(250, state.greeting.myhostname)._replace(dropped=_take_name(state, given.name))
    # From now on it may pipeline, even behind a later HELO (smtpd.c, helo_cmd).
    state.esmtp = True
    dropped = _take_name(state, given.name)
    if state.filtered and state.filtered.code >= 500:
        return accepted(250, state.greeting.myhostname)._replace(dropped=dropped)
    offered = () if state.offers is NOTHING else state.offers.keywords(state.secured)
    return Said(ehlo_reply(state.greeting, state.settings.smtputf8_enable, offered), True, dropped)


def _take_name(state: State, argument: bytes) -> TransactionDropped | None:
    """Take the client's name; a transaction ends as by RSET (RFC 5321, 4.1.4)."""
    state.helo = b" ".join(argument.split()).translate(_NEUTER)
    return state.reset()


def _mail(state: State, argument: bytes) -> Outcome:
    settings = state.settings
    if settings.helo_required and not state.helo:
        return replies.HELO_FIRST
    if state.envelope is not None:
        return replies.NESTED_MAIL
    too_much = state.throttle and is_mail(argument) and state.throttle(b"MAIL")
    if too_much:
        return answered(too_much)
    mail = parse_mail(argument, strict=settings.strict_rfc821_envelopes, utf8=settings.smtputf8_enable)
    if isinstance(mail, Reply):
        return answered(mail)
    if mail.parameters:
        refusal = refuse_mail(mail.parameters, state)
        if refusal is not None:
            return refusal
    given = SenderGiven(Envelope(state.helo, state.esmtp, mail.sender, mail.parameters))
    return given if state.judges_early else carried_out(state, given)


def _rcpt(state: State, argument: bytes) -> Outcome:
    settings, envelope = state.settings, state.envelope
    if envelope is None:
        return replies.NEED_MAIL
    too_many = state.throttle and is_rcpt(argument) and state.throttle(b"RCPT")
    if too_many:
        return answered(too_many)
    rcpt = parse_rcpt(argument, strict=settings.strict_rfc821_envelopes, utf8=state.smtputf8)
    if isinstance(rcpt, Reply):
        return answered(rcpt)
    refusal = refuse_rcpt(rcpt.parameters)
    if refusal is not None:
        return refusal
    if len(envelope.recipients) >= settings.recipient_limit:
        state.overshoot += 1
        return replies.TOO_MANY_RECIPIENTS._replace(accepted=state.overshoot <= settings.recipient_overshoot_limit)
    return RecipientGiven(envelope, rcpt.recipient)


def _data(state: State, argument: bytes) -> Outcome:
    if state.envelope is None:
        return replies.NEED_RCPT
    if not state.envelope.recipients:
        return replies.NO_RECIPIENTS
    return replies.DATA_SYNTAX if argument else DataAsked(state.envelope)


def _rset(state: State, argument: bytes) -> Outcome:
    if argument:
        return replies.RSET_SYNTAX
    dropped = state.reset()
    return replies.OK if dropped is None else replies.OK._replace(dropped=dropped)


def _noop(_state: State, _argument: bytes) -> Outcome:
    return replies.OK


def _vrfy(state: State, argument: bytes) -> Outcome:
    settings = state.settings
    if settings.disable_vrfy_command:
        return replies.VRFY_DISABLED
    if not argument:
        return replies.VRFY_SYNTAX
    if state.filtered:
        return answered(state.filtered)
    parsed = parse_path(argument, strict=False, utf8=settings.smtputf8_enable)
    if parsed is None or parsed[0].is_null or parsed[1]:
        return replies.BAD_RECIPIENT
    return accepted(252, b"2.0.0 " + argument)


def _quit(_state: State, _argument: bytes) -> Outcome:
    return replies.BYE


def _help(_state: State, _argument: bytes) -> Outcome:
    return _HELP


def _bdat(_state: State, _argument: bytes) -> Outcome:
    return replies.NO_CHUNKS


def _not_implemented(_state: State, _argument: bytes) -> Outcome:
    return replies.NOT_IMPLEMENTED


class Verb(NamedTuple):
    """One verb. carry_out: what it does. is_last: nothing may be sent behind it before its reply (RFC 2920, 3.1).

    is_junk: it leads nowhere, so that only so many of it are free (smtpd_junk_command_limit). before_tls: it is taken
    also where most wait for TLS (RFC 3207, 4). is_unknown: filters hear of it as of a command that is none.
    """

    carry_out: Callable[[State, bytes], Outcome]
    is_last: bool = False
    is_junk: bool = False
    before_tls: bool = False
    is_unknown: bool = False


#: smtpd.c, smtpd_cmd_table. HELP is free in Postfix, without end.
VERBS = {
    b"HELO": Verb(_helo, is_last=True, is_junk=True, before_tls=True),
    b"EHLO": Verb(_ehlo, is_last=True, is_junk=True, before_tls=True),
    b"STARTTLS": Verb(starttls, before_tls=True),
    b"MAIL": Verb(_mail),
    b"RCPT": Verb(_rcpt),
    b"DATA": Verb(_data, is_last=True),
    b"RSET": Verb(_rset, is_junk=True),
    b"NOOP": Verb(_noop, is_last=True, is_junk=True, before_tls=True),
    b"VRFY": Verb(_vrfy, is_last=True, is_junk=True),
    b"HELP": Verb(_help, is_junk=True, before_tls=True),
    b"QUIT": Verb(_quit, before_tls=True),
    b"AUTH": Verb(auth),
    b"BDAT": Verb(_bdat, before_tls=True),
    b"ETRN": Verb(_not_implemented, is_junk=True),
    b"XCLIENT": Verb(_not_implemented, before_tls=True),
    b"XFORWARD": Verb(_not_implemented, before_tls=True),
} | dict.fromkeys(
    (b"EXPN", b"TURN", b"ATRN", b"SEND", b"SOML", b"SAML"),
    Verb(_not_implemented, before_tls=True, is_unknown=True),
)

_HELP = accepted(214, b"2.0.0 Commands: DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET VRFY")


def is_foreign(verb: bytes) -> bool:
    """Whether what stands where a verb should is of another protocol, or a header (smtpd_forbidden_commands).

    verb: in capitals, at least one byte, and none of VERBS.
    """
    return verb in (b"CONNECT", b"GET", b"POST") or not verb[:1].isalpha() or b":" in verb
