"""The page about milters: what it shows is taken, and what it says of macros is so."""

import re

import pytest

from tests.support.pages import DOCS, literals, page, rows
from ucspi_py.core.gate.language import syntax
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.maps.parse import parse_table
from ucspi_py.core.gate.maps.patterns.table import PatternTable
from ucspi_py.core.gate.milter import macros
from ucspi_py.core.gate.milter.configured import gate_milters
from ucspi_py.core.gate.milter.header_checks import flaw
from ucspi_py.core.gate.milter.parameters import MACROS

PAGE = page(DOCS / "milters.rst")
BLOCKS = [block for block in literals(PAGE) if "smtpd_milters" in block]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_lines_for_the_gate_are_taken(block: str) -> None:
    """Behind those for the filter, which are its own."""
    settings = syntax.settings("page", block[block.index("smtpd_milters") :])

    milters = gate_milters(Configuration(settings))

    assert milters is not None
    assert milters.milters


def test_the_checks_of_the_page_are_taken() -> None:
    """Each has an action that there is."""
    [block] = [block for block in literals(PAGE) if "milter_header_checks" in block]
    table = parse_table("regexp", block.encode())

    assert isinstance(table, PatternTable)
    assert table.flaws == ()
    values = [rule.value.text for rule in table.rules if rule.value]
    assert len(values) == 3
    assert [wrong for wrong in map(flaw, values) if wrong] == []


def test_the_macros_of_the_page_are_sent() -> None:
    """Each list has its default there, and each macro that is known its row."""
    lists = {row[0].astext(): row[1].astext() for row in rows(PAGE, "macros of")}
    told = {name.strip("{}") for row in rows(PAGE, "macro") for name in re.findall(r"[^ ,\n]+", row[0].astext())}

    defaults = {f"milter_{name}_macros": default or "none" for name, default in MACROS.items()}
    assert {name: text.partition(",")[0] for name, text in lists.items()} == defaults
    assert told == {name.decode() for name in macros._VALUES}
