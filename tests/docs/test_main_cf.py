"""What the page of pysmtpgate says to those who have a main.cf: its commands do what stands below them."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.checkout import ROOT
from tests.support.gate import MAIL, RCPT, Gate
from tests.support.nameserver import running
from tests.support.pages import literals, program_page, rows, sections
from tests.support.programs import ours
from ucspi_py.core.gate.language import passed_over, refused

PLACES = ("/etc/postfix", "/var/qmail/control")
SECTION = sections(sections(program_page("pysmtpgate"))["Notes"])["Using a main.cf as it stands"]
BLOCKS = literals(SECTION)
PRINTING = [block for block in BLOCKS if block.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """In the place of the page's folders: its main.cf, a table that has what it asks for, and no rcpthosts yet."""
    (main_cf,) = (block for block in BLOCKS if block.startswith("myhostname"))
    (tmp_path / "main.cf").write_text(here(main_cf, tmp_path) + "\n")
    (tmp_path / "sender_access").write_text("friend@example.com OK\n")
    return tmp_path


def here(text: str, folder: Path) -> str:
    """A text of the page with a folder in it."""
    for place in PLACES:
        text = text.replace(place, str(folder))
    return text


def test_the_page_shows_what_is_refused_and_what_is_passed_over() -> None:
    """And what a table says: three commands with their output."""
    assert [shlex.split(block)[2] for block in PRINTING] == ["--check", "--check", "--query"]


@pytest.mark.parametrize("block", PRINTING, ids=lambda block: block.splitlines()[0])
def test_a_command_prints_what_is_below_it(block: str, folder: Path) -> None:
    """All of it."""
    command, *expected = here(block, folder).splitlines()
    _, program, *words = shlex.split(command)

    done = subprocess.run([ours(program), *words], capture_output=True, text=True, check=False)

    assert (done.stdout + done.stderr).splitlines() == expected
    assert done.returncode == (100 if any(": error: " in line for line in expected) else 0)


def test_the_gate_listens_beside_postfix(folder: Path) -> None:
    """With the domain that was written into rcpthosts; on another port than that of the page."""
    (writes,) = (block for block in BLOCKS if block.startswith("echo "))
    (listens,) = (block for block in BLOCKS if block.startswith("pytcpserver "))
    backend = Scripted(folder / "backend")
    subprocess.run(["/bin/sh", "-c", here(writes, folder)], check=True)
    program, *words = shlex.split(here(listens, folder).replace("\\\n", ""))
    host = words.index("127.0.0.1")
    command = [ours(words[host + 2]), "-o", f"qmail_control={folder}", *words[host + 3 : -1], *backend.argv]
    with (
        running({"example.net MX": ["10 mx.example.net."]}, folder) as dns,
        Gate(
            ours(program),
            words[:host],
            command,
            folder,
            env={"PATH": os.environ["PATH"], "DNSCACHEIP": dns},
        ) as gate,
    ):
        assert gate.converse([b"EHLO client.example.net", MAIL, RCPT])[-1] == b"250 recipient ok"


def test_what_the_table_calls_refused_or_passed_over_is_so() -> None:
    """Each parameter in its first column that is one or the other."""
    for first, second, _ in rows(SECTION, "in main.cf"):
        for name in first.astext().replace(",", " ").split():
            if name in refused.BY_NAME:
                assert second.astext() in ("is refused", "are refused"), name
            if passed_over.reason(name):
                assert second.astext() == "passed over", name


def test_each_folder_of_examples_is_named() -> None:
    """None is hidden, and none is missing."""
    named = {first.astext() for first, _ in rows(SECTION, "folder")}

    assert named == {str(path.relative_to(ROOT)) for path in (ROOT / "examples/postfix").iterdir()}
