"""The pages of docs/ and README as trees of docutils'."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import manual
from docutils import nodes

from tests.support.checkout import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.rst", *sorted(DOCS.glob("*.rst"))]
PROGRAMS = sorted(path.name for path in (ROOT / "bin").iterdir() if path.name.startswith("py"))


@cache
def page(path: Path) -> nodes.document:
    """The tree of a page, read once for all tests: none of them is to change it."""
    return manual.read(path)


def program_page(name: str) -> nodes.document:
    """The tree of a program's page."""
    return page(DOCS / f"{name}.rst")


def sections(parent: nodes.Element) -> dict[str, nodes.section]:
    """The sections right below, in their order, by their titles."""
    return {each[0].astext(): each for each in parent.children if isinstance(each, nodes.section)}


def rows(parent: nodes.Element, head: str) -> Iterator[list[nodes.entry]]:
    """The rows of the tables below whose first column has this head."""
    for table in parent.findall(nodes.table):
        lines = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
        if lines[0][0].astext() == head:
            yield from lines[1:]


def literals(parent: nodes.Element) -> list[str]:
    """The blocks of examples below, in their order."""
    return [block.astext() for block in parent.findall(nodes.literal_block)]


def name(path: Path) -> str:
    """A page as a test's name."""
    return path.name
