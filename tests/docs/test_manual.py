"""The manual pages are what man and its index take, without a word against them."""

import os
import subprocess
from pathlib import Path

import manual
import pytest

from tests.support.pages import DOCS
from tests.support.programs import theirs

PAGES = manual.pages(DOCS)


def test_apropos_finds_each_page(tmp_path: Path) -> None:
    """lexgrog, which makes its index, finds the name of the page and what it is for."""
    files = {Path(name).name: text for name, text in PAGES.items()}
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)

    found = subprocess.run([theirs("lexgrog"), *files], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    names = {line.partition(": ")[0]: line.partition(': "')[2].partition(" - ")[0] for line in found.splitlines()}
    assert names == {name: Path(name).stem for name in files}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_man_shows_a_page_without_a_warning(name: str, tmp_path: Path) -> None:
    """On a terminal of 80 columns; no name has a hyphen in it that is not its own."""
    page = tmp_path / Path(name).name
    page.write_bytes(PAGES[name])
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}

    words = [theirs("man"), "--warnings", "-l", str(page)]
    shown = subprocess.run(words, env=environment, capture_output=True, check=True)

    assert shown.stderr == b""
    assert page.stem.encode() in shown.stdout
    assert "\u2010\n" not in shown.stdout.decode()
