"""Each page renders, leads on, and is written to be searched by somebody who is tired."""

import re
from pathlib import Path

import manual
import pytest
from docutils import nodes
from docutils.core import publish_string
from docutils.writers.html5_polyglot import Writer

from tests.support.checkout import ROOT
from tests.support.pages import DOCS, PAGES, PROGRAMS, name, page, program_page, sections

ORDER = ["Interface", "Environment", "Options", "Signals", "Exit codes", "Notes"]
WORDS_OF_A_SENTENCE = 20
#: What an administrator types into a search box.
SEARCHED = """
    reload restart allowlist whitelist blocklist blacklist DNSBL RBL reverse DNS temporary permanent graceful threshold
    timeout upgrade security port 587 submission fail2ban docker greylisting limit rate IPv6 ident relay systemd
    daemontools runit s6 root softlimit log signal exit code environment default
"""
#: Sections that are written for others: the house for who works on it, the changes in their own short hand.
NOT_HELD = {"How the house is laid out", "Changes"}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_renders_without_a_warning(path: Path) -> None:
    """As HTML, as a package index or a forge shows it."""
    settings = {"report_level": 2, "halt_level": 2}

    shown = publish_string(path.read_text(), source_path=path.name, writer=Writer(), settings_overrides=settings)

    assert b'class="system-message' not in shown


def test_a_manual_page_speaks_of_others_as_man_does() -> None:
    """pytcprules(1), where the page has a link to a file."""
    made = manual.pages(DOCS)

    assert {name for name, text in made.items() if re.search(rb"\.rst\b|^\.TS", text, re.MULTILINE)} == set()
    assert rb"\fBpytcprules\fP(1)" in made["man8/pytcpserver.8"]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_link_leads_somewhere(path: Path) -> None:
    """To a file that is there, and to a section of it that is there."""
    dead = []
    for link in page(path).findall(nodes.reference):
        file, _, part = link.get("refuri", "").partition("#")
        if file.startswith(("http:", "https:")):
            continue
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (part and part not in page(target).ids):
            dead.append(link.get("refuri"))

    assert dead == []


def test_readme_leads_to_every_page() -> None:
    """Nobody has to guess what is in docs/."""
    links = {link.get("refuri", "").partition("#")[0] for link in page(ROOT / "README.rst").findall(nodes.reference)}

    assert {f"docs/{path.name}" for path in DOCS.iterdir()} <= links


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_page_has_the_order_of_skarnet(program: str) -> None:
    """Who has read one page knows where to look in the next."""
    found = program_page(program)

    assert next(found.findall(nodes.title)).astext() == program
    assert list(sections(found)) == [*ORDER, "See also"]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_sentence_is_short(path: Path) -> None:
    """One fact a sentence."""
    paragraphs = [
        paragraph.astext()
        for paragraph in page(path).findall(nodes.paragraph)
        if NOT_HELD.isdisjoint(_titles(paragraph))
    ]
    sentences = [sentence for text in paragraphs for sentence in re.split(r"(?<=[.?!:])\s+", text)]

    assert [sentence for sentence in sentences if len(sentence.split()) > WORDS_OF_A_SENTENCE] == []


@pytest.mark.parametrize("word", SEARCHED.split())
def test_a_word_that_is_searched_for_is_found(word: str) -> None:
    """Somewhere in README or docs, whatever our own word for it is."""
    assert any(re.search(rf"\b{word}", path.read_text(), re.IGNORECASE) for path in PAGES)


def _titles(node: nodes.Node) -> set[str]:
    titles = set()
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.section):
            titles.add(node[0].astext())
    return titles
