"""Whether there is a sender or recipient, by the tables of our domains (smtpd_check.c, check_rcpt_maps)."""

from collections.abc import Iterator

from ....smtp.path import Path
from ...maps.names import MapName
from ..addresses.address import RECIPIENT, SENDER, locals_of, quoted, said, wanted, whole_keys
from ..addresses.resolve import resolve
from ..addresses.resolved import Kind, Resolved
from ..addresses.tables import TableFailed, find
from ..evaluation import Evaluation, Subject
from ..judgement import Verdict
from ..restriction import Restriction

#: Whom Postfix's own programs take mail for.
_ALWAYS = frozenset((b"double-bounce", b"postmaster", b"mailer-daemon"))


def reject_unlisted_sender(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_unlisted_sender."""
    return unlisted_sender(evaluation)


def reject_unlisted_recipient(evaluation: Evaluation, _restriction: Restriction, _subject: Subject) -> Verdict:
    """reject_unlisted_recipient."""
    return unlisted_recipient(evaluation)


def unlisted_sender(evaluation: Evaluation) -> Verdict:
    """Refuse a sender of ours whom nobody knows, unless that was looked at."""
    return _unlisted(evaluation, SENDER)


def unlisted_recipient(evaluation: Evaluation) -> Verdict:
    """Refuse a recipient of ours whom nobody knows, unless that was looked at."""
    return _unlisted(evaluation, RECIPIENT)


def value_of(evaluation: Evaluation, path: Path, tables: tuple[MapName, ...]) -> bytes | None:
    """Find what tables have for an address, by one of its keys; None = nothing. Raises TableFailed."""
    return _value(evaluation, resolve(evaluation, path), tables)


def _unlisted(evaluation: Evaluation, kind: bytes) -> Verdict:
    path = wanted(evaluation, kind)
    if path is None or kind in evaluation.checked_unlisted:
        return Verdict.DUNNO
    if not evaluation.warns_only:
        evaluation.checked_unlisted.add(kind)
    try:
        return _judged(evaluation, path, kind)
    except TableFailed as failure:
        if failure.is_config:
            evaluation.fail("a table of users has an empty value")
        evaluation.fail_lookup(said(path))


def _judged(evaluation: Evaluation, path: Path, kind: bytes) -> Verdict:
    destinations, codes = evaluation.settings.destinations, evaluation.settings.codes
    resolved = resolve(evaluation, path)
    rewritten = (
        destinations.recipient_canonical_maps,
        destinations.sender_canonical_maps if kind == SENDER else (),
        destinations.canonical_maps,
        destinations.virtual_alias_maps,
    )
    if any(_is_in_users(evaluation, resolved, tables) for tables in rewritten):
        return Verdict.DUNNO
    tables, name, code = {
        Kind.ALIAS: ((), b"virtual alias", codes.unknown_virtual_alias_reject_code),
        Kind.LOCAL: (destinations.local_recipient_maps, b"local recipient", codes.unknown_local_recipient_reject_code),
        Kind.VIRTUAL: (
            destinations.virtual_mailbox_maps,
            b"virtual mailbox",
            codes.unknown_virtual_mailbox_reject_code,
        ),
        Kind.RELAY: (destinations.relay_recipient_maps, b"relay recipient", codes.unknown_relay_recipient_reject_code),
    }.get(resolved.kind, ((), b"", 0))
    if resolved.kind is not Kind.ALIAS and (not tables or _is_always(resolved)):
        return Verdict.DUNNO
    if _is_in_users(evaluation, resolved, tables):
        return Verdict.DUNNO
    table = b" in %b table" % name if destinations.show_user_unknown_table_name else b""
    detail = b"5.1.0" if kind == SENDER else b"5.1.1"
    return evaluation.reject(code, detail, b"<%b>: %b rejected: User unknown%b" % (said(path), kind, table))


def _is_always(resolved: Resolved) -> bool:
    return resolved.kind is Kind.LOCAL and resolved.local in _ALWAYS


def _is_in_users(evaluation: Evaluation, resolved: Resolved, tables: tuple[MapName, ...]) -> bool:
    return bool(tables) and _value(evaluation, resolved, tables) is not None


def _value(evaluation: Evaluation, resolved: Resolved, tables: tuple[MapName, ...]) -> bytes | None:
    """The value of the first of an address's keys that a table has (mail_addr_find.c, MA_FIND_DEFAULT)."""
    values = (find(evaluation, tables, key, part=part) for key, part in _keys(evaluation, resolved))
    return next((value for value in values if value is not None), None)


def _keys(evaluation: Evaluation, resolved: Resolved) -> Iterator[tuple[bytes, bool]]:
    """Yield the keys of an address, and whether each is only a part of it."""
    local, domain = resolved.local, resolved.domain
    locals_ = locals_of(evaluation, local)
    yield from whole_keys(locals_, domain)
    destinations = evaluation.settings.destinations
    if domain == destinations.myorigin.lower() or resolved.kind is Kind.LOCAL:
        for one in locals_:
            for key in dict.fromkeys((quoted(one, None), one)):
                yield key, True
    yield b"@" + domain, True
