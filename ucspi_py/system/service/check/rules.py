"""The rules of a service, read as a worker will, and linted as they are compiled. Never follows one."""

import os
import re
from collections.abc import Iterator

from ....core.errors import Failure
from ....core.lint import line, table  # noqa: F401  the user of the service may be able to import nothing
from ....core.lint.lint import lint
from ....core.rules.dump import Line, dump
from ....core.service.check.finding import Finding, error, warning
from ....core.text import shown
from ...rules.table import Table

_WHAT = "rules"
#: Findings about single rules that are named; pyrules lint names them all.
_NAMED = 10
#: How a sentence names an earlier line, which is one of the dump.
_LINE = re.compile(r"\Aline (\d+)\b")


def looked(path: str | None, allow_missing: bool) -> Iterator[Finding]:
    """Yield what is found in compiled rules. path: -x, None = there are none. allow_missing: -X."""
    if path is None:
        return
    if allow_missing and not os.path.lexists(path):
        yield Finding(_WHAT, f"{path} does not exist, so everybody is let in (-X)")
        return
    try:
        lines = [rule for rule in dump(Table(path).records()) if rule.text is not None]
    except Failure as failure:
        yield error(_WHAT, failure.sentence)
        return
    flaws = list(_flaws(lines))
    yield from _stale(path)
    yield from flaws[:_NAMED]
    if len(flaws) > _NAMED:
        yield warning(_WHAT, f"and {len(flaws) - _NAMED} more, which pyrules lint names")
    if not flaws:
        yield Finding(_WHAT, f"{path} has {len(lines)} rules, and none that cannot bite")


def _flaws(lines: list[Line]) -> Iterator[Finding]:
    for found in lint(b"".join(b"%b\n" % rule.text for rule in lines if rule.text is not None)):
        sentence = _LINE.sub(lambda number: _place(lines[int(number[1]) - 1]), found.sentence)
        yield warning(_WHAT, f"{_place(lines[found.line - 1])}: {sentence}")


def _place(rule: Line) -> str:
    """Its line in the source, where it has that with it, or the rule itself."""
    return shown(rule.source or rule.text or b"")


def _stale(path: str) -> Iterator[Finding]:
    """The source beside the rules, as tcprules is mostly told, changed and not compiled."""
    source = path.removesuffix(".cdb")
    try:
        is_newer = source != path and os.stat(source).st_mtime > os.stat(path).st_mtime
    except OSError:
        return
    if is_newer:
        yield warning(_WHAT, f"{source} is newer than {path}: pytcprules has not compiled it")
