"""One key in one table or in several (maps.c), and a domain in a list of domains (match_list.c, match_ops.c)."""

from collections.abc import Iterator

from ...maps.names import PATTERNS, Broken, MapName
from ..evaluation import Evaluation
from ..questions import MapQuestion
from ..settings import DomainList

#: Tables that are asked for a whole key only, in the case in which it was said.
_WHOLE_KEYS = frozenset((*PATTERNS, "cidr"))


class TableFailed(Exception):
    """A table has no answer. is_config: it has one that must not be, an empty value."""

    def __init__(self, *, is_config: bool) -> None:
        super().__init__(is_config)
        self.is_config = is_config


def is_fixed(table: MapName) -> bool:
    """Whether a table has keys, which may be parts of something, and no patterns."""
    return table.kind not in _WHOLE_KEYS


def find(evaluation: Evaluation, tables: tuple[MapName, ...], key: bytes, *, part: bool = False) -> bytes | None:
    """Look a key up in one table after the other; None = none has it. part: of something, no pattern is to see it.

    Raises TableFailed.
    """
    for table in tables:
        if not key or (part and not is_fixed(table)):
            continue
        value = evaluation.value(MapQuestion(table, key.lower() if is_fixed(table) else key))
        if isinstance(value, Broken):
            raise TableFailed(is_config=False)
        if value == b"":
            evaluation.warn(f"{table} lookup of {key!r} returns an empty string result")
            raise TableFailed(is_config=True)
        if value is not None:
            return value
    return None


def parents(name: bytes, *, bare: bool) -> Iterator[bytes]:
    """Yield what is above a domain: ``b.example``, ``example``; not bare, ``.b.example``, ``.example``."""
    while (position := name.find(b".", 1)) > 0:
        name = name[position + bare :]
        if not name:
            return
        yield name


def is_in(evaluation: Evaluation, domain: bytes, patterns: DomainList, *, parameter: str | None = None) -> bool:
    """Whether a list has a domain, in lower case; the first word that knows it decides.

    parameter: the name of a list in which a domain may stand for all below it; None = only for itself. Raises
    TableFailed.
    """
    for pattern, excluded in patterns:
        if isinstance(pattern, MapName):
            found = _has(evaluation, domain, pattern, parameter)
        else:
            found = domain == pattern or (parameter is not None and _covers(evaluation, domain, pattern, parameter))
        if found:
            return not excluded
    return False


def holds_below(evaluation: Evaluation, parameter: str) -> bool:
    """Whether a domain in such a list stands for all below it (parent_domain_matches_subdomains)."""
    return parameter in evaluation.settings.parent_domain_matches_subdomains


def _covers(evaluation: Evaluation, domain: bytes, pattern: bytes, parameter: str) -> bool:
    if holds_below(evaluation, parameter):
        return domain.endswith(b"." + pattern)
    return pattern.startswith(b".") and domain.endswith(pattern) and domain != pattern


def _has(evaluation: Evaluation, domain: bytes, table: MapName, parameter: str | None) -> bool:
    """Whether a table has a domain, or one above it: here an empty value is a value."""
    keys = [domain]
    if parameter is not None and is_fixed(table):
        keys += parents(domain, bare=holds_below(evaluation, parameter))
    for key in keys:
        value = evaluation.value(MapQuestion(table, key))
        if isinstance(value, Broken):
            raise TableFailed(is_config=False)
        if value is not None:
            return True
    return False
