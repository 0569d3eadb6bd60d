"""Traps in tables: those that cannot be read, values of lists with which a client gets 451 4.3.5, and values of content
checks and of milters with which the gate does not start.
"""

from collections.abc import Callable, Iterator

from ..content import actions
from ..language.content_parameters import CHECKS
from ..maps.names import Broken, MapName
from ..milter import header_checks, service
from ..milter.parameters import CHECKS as MILTER_CHECKS
from ..milter.parameters import LIST, MAPS
from ..restrictions.checks import actions as list_actions
from ..restrictions.restriction import Restriction
from .entries import ANY, Entry, told
from .finding import Finding, error, warning
from .subject import Subject


def broken(subject: Subject) -> Iterator[Finding]:
    """Find tables of the lists that cannot be read now."""
    for one in _with_tables(subject):
        contents = subject.contents(one.table)
        if isinstance(contents, Broken):
            yield warning(one.where, contents.sentence, "until it can be read, it is 451 4.3.0 to clients")


def wrong_values(subject: Subject) -> Iterator[Finding]:
    """Find values in tables of the lists that mean nothing."""
    for one in _with_tables(subject):
        contents = subject.contents(one.table)
        for entry in () if isinstance(contents, Broken) else contents:
            sentence = list_actions.flaw(entry.value, subject.reading.classes)
            if sentence:
                where = _where(one.table, entry, one.where)
                yield warning(where, f"{_told(one.table, entry)}: {sentence}", "until then it is 451 4.3.5 to clients")


def wrong_checks(subject: Subject) -> Iterator[Finding]:
    """Find tables of header and body checks that cannot be read now, and values in them that are no actions."""
    of_body = {table for _, table in subject.reading.tables_of("body_checks")}
    for word, table in (one for name in CHECKS for one in subject.reading.tables_of(name)):
        contents = subject.contents(table)
        if isinstance(contents, Broken):
            yield warning(word.where, contents.sentence, "until it can be read, it is 451 4.3.0 to clients")
            continue
        for entry in contents:
            sentence = actions.flaw(entry.value, of_header=table not in of_body)
            if sentence:
                yield error(f"{_where(table, entry, word.where)}: {sentence}")


def wrong_milters(subject: Subject) -> Iterator[Finding]:
    """Find tables of milters that cannot be read now, and values in them that cannot be."""
    until = f"until it can be read, {LIST} are asked about everybody"
    yield from _wrong(subject, MAPS, service.flaw, until)
    yield from _wrong(subject, MILTER_CHECKS, header_checks.flaw, "until it can be read, it is 451 4.3.0 to clients")


def _wrong(subject: Subject, name: str, flaw: Callable[[bytes], str | None], until: str) -> Iterator[Finding]:
    for word, table in subject.reading.tables_of(name):
        contents = subject.contents(table)
        if isinstance(contents, Broken):
            yield warning(word.where, contents.sentence, until)
            continue
        for entry in contents:
            sentence = flaw(entry.value)
            if sentence:
                yield error(f"{_where(table, entry, word.where)}: {sentence}")


def _with_tables(subject: Subject) -> Iterator[Restriction]:
    for restrictions in (*subject.reading.lists.values(), *subject.reading.classes.values()):
        yield from (one for one in restrictions if isinstance(one.argument, MapName))


def _where(table: MapName, entry: Entry, otherwise: str) -> str:
    return f"{table.path_or_text} line {entry.line}" if entry.line else otherwise


def _told(table: MapName, entry: Entry) -> str:
    return f"value of {told(entry._replace(line=0))}" if entry.line or entry.key != ANY else str(table)
