"""Manual pages made of docs/: each page there that says which section of the manual it belongs to.

Run in a checkout, it writes man/man8/pytcpserver.8 and the others; the backend does so before it builds an archive.
"""

import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree, publish_from_doctree
from docutils.writers.manpage import Writer

#: A page that is not as it should be keeps an archive from being built.
_SETTINGS = {"report_level": 2, "halt_level": 2, "file_insertion_enabled": False, "raw_enabled": False}
_SECTION = "manual section"
#: A word that no line of a terminal has room for.
_LONG = re.compile(r"\S{60,}")


def write(docs: Path, man: Path) -> None:
    """Write the manual pages of docs below man, which is emptied first.

    Raises docutils.utils.SystemMessage for a page with a mistake in it.
    """
    shutil.rmtree(man, ignore_errors=True)
    for name, text in pages(docs).items():
        path = man / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def pages(docs: Path) -> dict[str, bytes]:
    """Make the manual pages of docs in memory; their text by their path below a man folder, ``man8/pytcpserver.8``.

    Raises docutils.utils.SystemMessage for a page with a mistake in it.
    """
    sources = {path.name: read(path) for path in sorted(docs.glob("*.rst"))}
    names = {file: (_title(page), section) for file, page in sources.items() if (section := _section(page))}
    return {
        f"man{section}/{title}.{section}": _rendered(sources[file], names) for file, (title, section) in names.items()
    }


def read(path: Path) -> nodes.document:
    """Read a page into a tree of docutils'; raises docutils.utils.SystemMessage for one with a mistake in it."""
    page: nodes.document = publish_doctree(path.read_text("utf-8"), source_path=path.name, settings_overrides=_SETTINGS)
    return page


def _title(page: nodes.document) -> str:
    title: nodes.title = next(page.findall(nodes.title))
    return str(title.astext())


def _section(page: nodes.document) -> str:
    fields = (field.children for info in page.findall(nodes.docinfo) for field in info.findall(nodes.field))
    return next((body.astext() for name, body in fields if name.astext().lower() == _SECTION), "")


def _rendered(page: nodes.document, names: dict[str, tuple[str, str]]) -> bytes:
    for link in list(page.findall(nodes.reference)):
        link.replace_self(_named(link, names))
    for table in list(page.findall(nodes.table)):
        table.replace_self(_list(table))
    text = publish_from_doctree(page, writer=Writer(), settings_overrides=_SETTINGS | {"output_encoding": "unicode"})
    lines = text.splitlines(keepends=True)
    # the writer names itself, with its version
    return "".join(_with_words_whole(line) for line in lines if not line.startswith('.\\" by the Docutils')).encode()


def _with_words_whole(line: str) -> str:
    """A line with what keeps man from hyphenating names and from stretching blanks; long lists may end at commas.

    HY is what groff's .EE sets hyphenation back to.
    """
    if line.startswith(".TH "):
        return f"{line}.nr HY 0\n.nh\n.ad l\n"
    return _LONG.sub(lambda word: word[0].replace(",", ",\\:"), line)


def _named(link: nodes.reference, names: dict[str, tuple[str, str]]) -> list[nodes.Node]:
    """A link as a manual has it: name(section)."""
    file, _, _part = link.get("refuri", "").partition("#")
    if file not in names:
        return list(link.children)
    title, section = names[file]
    return [nodes.strong("", title), nodes.Text(f"({section})")]


def _list(table: nodes.table) -> nodes.definition_list:
    """A table as a manual has it: the first column leads, and the others explain it."""
    heads = [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
    rows = [list(row.findall(nodes.entry)) for body in table.findall(nodes.tbody) for row in body.findall(nodes.row)]
    items = [
        nodes.definition_list_item("", nodes.term("", "", *_inline(row[0])), _explanation(heads, row)) for row in rows
    ]
    return nodes.definition_list("", *items)


def _explanation(heads: list[str], row: list[nodes.entry]) -> nodes.definition:
    words = _inline(row[1])
    for head, entry in zip(heads[2:], row[2:], strict=True):
        if entry.children:
            words += [nodes.Text(f"; {head}: " if words else f"{head}: "), *_inline(entry)]
    return nodes.definition("", nodes.paragraph("", "", *words))


def _inline(entry: nodes.entry) -> list[nodes.Node]:
    return [child for paragraph in entry.children for child in paragraph.children]


if __name__ == "__main__":
    write(Path("docs"), Path("man"))
