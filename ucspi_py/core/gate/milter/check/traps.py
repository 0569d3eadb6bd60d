"""Traps of milters: those that do not answer, and what keeps those that do from their work."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ....errors import AskedWrongly
from ....milter.negotiation import NEWEST
from ....milter.words import Event
from ...check.entries import Contents
from ...check.finding import Finding, Kind, warning
from ...check.reading import Reading
from ...check.subject import Subject
from ...maps.names import Broken
from ...server import InetServer, Server
from ..configured import milter_settings
from ..parameters import LIST, MACROS_SUFFIX, MAPS, PREFIX
from ..service import milters_of, parse_milters
from ..settings import EVENTS, DefaultAction, Milter, MilterSettings
from . import abilities
from .seen import Answers, remedy


class Named(NamedTuple):
    """A milter, and the place that has it."""

    milter: Milter
    where: str


_ACTION, _PROTOCOL = f"{PREFIX}default_action", f"{PREFIX}protocol"
_LOCALHOST = "127.0.0.1"
#: Macros, and who misses one: tried with Debian's opendkim 2.11, opendmarc 1.4 and rspamd 3.4.
_MISSED = {
    ("connect", b"j"): "opendkim, opendmarc and rspamd write another name than ours into Authentication-Results",
    ("mail", b"{auth_type}"): "opendkim signs for nobody who has logged in",
    ("mail", b"{auth_authen}"): "opendmarc and rspamd take whoever has logged in for a stranger",
}


def listed(reading: Reading) -> Iterator[Named]:
    """Yield each milter of the list; what is none has been named."""
    for word in reading.words(LIST):
        with suppress(AskedWrongly):
            yield Named(parse_milters([word])[0], word.where)


def named(subject: Subject) -> Iterator[Named]:
    """Yield each milter of the list, and each other one that a table has, once."""
    known: set[Milter] = set()
    for one in listed(subject.reading):
        known.add(one.milter)
        yield one
    for word, table in subject.reading.tables_of(MAPS):
        for milter in _of_table(subject.contents(table)):
            if milter not in known:
                known.add(milter)
                yield Named(milter, word.where)


def _of_table(contents: Contents) -> Iterator[Milter]:
    for entry in () if isinstance(contents, Broken) else contents:
        with suppress(ValueError):
            yield from milters_of(entry.value)


def settings(reading: Reading) -> MilterSettings:
    """Make what is asked of all milters; the defaults, where that is wrong and has been named."""
    try:
        return milter_settings(reading.configuration)
    except AskedWrongly:
        return MilterSettings()


def answers(subject: Subject) -> Iterator[Finding]:
    """Tell of each milter what it hears and what it may change, or why it is of no use."""
    of_all = settings(subject.reading)
    for milter, where in named(subject):
        seen = subject.around.milters.get(milter)
        failing = abilities.failing(milter.settings(of_all).default_action)
        if isinstance(seen, Answers):
            yield Finding(Kind.FINE, where, f"milter {milter} {_said(seen)}; where it fails, {failing}")
        elif seen:
            sentence = f"milter {milter}: {seen.sentence}; until it answers, {failing}"
            yield Finding(Kind.ERROR, where, sentence, remedy(milter, seen))


def listed_twice(subject: Subject) -> Iterator[Finding]:
    """Find milters that hear all of each message twice."""
    known: set[Server] = set()
    for milter, where in listed(subject.reading):
        server = _same(milter.server)
        if server in known:
            yield warning(where, f"milter {milter} is listed twice, and hears each message twice", "leave one out")
        known.add(server)


def unscanned(subject: Subject) -> Iterator[Finding]:
    """Find milters without which mail passes: the first of them is named."""
    of_all = settings(subject.reading)
    for milter, where in named(subject):
        if milter.settings(of_all).default_action is DefaultAction.ACCEPT:
            is_own = "default_action" in dict(milter.own)
            place = where if is_own else subject.reading.configuration.where(_ACTION)
            sentence = f"mail passes without milter {milter} where that fails: the default action is accept"
            yield Finding(Kind.NOTE, place, sentence, "tempfail has it come again")
            return


def hidden_macros(subject: Subject) -> Iterator[Finding]:
    """Find macros that are taken out, and that milters decide by."""
    configuration, of_all = subject.reading.configuration, settings(subject.reading)
    logs_in = subject.is_yes("smtpd_sasl_auth_enable")
    for (name, macro), consequence in _MISSED.items():
        list_name, event = PREFIX + name + MACROS_SUFFIX, EVENTS[name]
        is_wanted = (logs_in or event is not Event.MAIL) and _hangs_on(subject, event)
        if is_wanted and macro not in of_all.macros[event]:
            sentence = f"{list_name} is without {macro.decode()}: {consequence}"
            yield warning(configuration.where(list_name), sentence, f"add {macro.decode()}")


def old_version(subject: Subject) -> Iterator[Finding]:
    """Find a version of the protocol that is older than what milters speak (SMFIP_HDR_LEADSPC came with 6)."""
    of_all = settings(subject.reading)
    for milter, where in named(subject):
        version = milter.settings(of_all).protocol.version
        if version < NEWEST:
            place = where if "protocol" in dict(milter.own) else subject.reading.configuration.where(_PROTOCOL)
            sentence = f"version {version} does not tell milters of a header without a blank behind its colon"
            consequence = "DKIM signatures of it, by c=simple, count as false"
            yield warning(place, f"{sentence}: {consequence}", f"set {_PROTOCOL} = {NEWEST}, or leave it out")


def _said(seen: Answers) -> str:
    agreed = seen.agreed
    took = f"answers within {max(round(seen.seconds * 1000), 1)} ms"
    return f"{took}, version {agreed.version}; {abilities.hears(agreed)}; {abilities.may(agreed)}"


def _same(server: Server) -> Server:
    return server._replace(host=_LOCALHOST) if isinstance(server, InetServer) and server.host == "localhost" else server


def _hangs_on(subject: Subject, event: Event) -> bool:
    """Whether a milter gets the macros of our list: it may have said which it wants."""
    for milter, _ in named(subject):
        seen = subject.around.milters.get(milter)
        if not isinstance(seen, Answers) or event not in seen.agreed.macros:
            return True
    return False
