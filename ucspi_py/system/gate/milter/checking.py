"""Tables of milters, looked at before the first client comes."""

from collections.abc import Callable
from dataclasses import replace

from ....core.errors import AskedWrongly
from ....core.gate.maps.names import Broken, MapName
from ....core.gate.milter import header_checks, service
from ....core.gate.milter.settings import GateMilters
from ..tables import Tables


def check(settings: GateMilters, complain: Callable[[str], None]) -> None:
    """Look which tables cannot be used, and say so: they may be made later.

    Raises AskedWrongly for a value that cannot be, with the line of its table.
    """
    tables = Tables(complain)
    for maps, flaw in ((settings.maps, service.flaw), (settings.header_checks, header_checks.flaw)):
        for name in maps:
            _check(tables, name, flaw, complain)


def counted(settings: GateMilters) -> GateMilters:
    """Count the milters that tables have now for any client; what is wrong there, check() tells."""
    tables = Tables(_nobody)
    values = (value for name in settings.maps for _, value in tables.values(name))
    return replace(settings, in_tables=max(map(_count, values), default=0))


def _count(value: bytes) -> int:
    try:
        return len(service.milters_of(value))
    except ValueError:
        return 0


def _nobody(_sentence: str) -> None:
    """Who hears of a table that is only counted."""


def _check(tables: Tables, name: MapName, flaw: Callable[[bytes], str | None], complain: Callable[[str], None]) -> None:
    found = tables.inspect(name)
    if isinstance(found, Broken):
        complain(found.sentence)
        return
    for line, value in tables.values(name):
        wrong = flaw(value)
        if wrong:
            raise AskedWrongly(f"table {name}{f' line {line}' if line else ''}: {wrong}")
