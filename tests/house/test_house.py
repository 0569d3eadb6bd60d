"""The house keeps its own rules."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTION_LIMIT, FILE_LIMIT, FOLDER_LIMIT = 40, 250, 15
_CHARACTERS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_POSSESSIVE = re.compile(r"[*+?}]\+|\(\?>")


def tracked(suffix: str = "") -> list[Path]:
    """The files of the repository; without git (an unpacked archive) all that stands in the folders of sources."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
        files = [ROOT / name for name in listed.split("\0") if name]
    else:
        folders = ("ucspi_py", "bin", "examples", "tests", "bench", "build_backend", "docs", "packaging")
        files = [path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in files if path.is_file() and path.name.endswith(suffix)]


def names(path: Path) -> str:
    """A path as a test's name."""
    return str(path.relative_to(ROOT))


SOURCES = tracked(".py")
HOUSE = [path for path in SOURCES if path.is_relative_to(ROOT / "ucspi_py")]


def test_there_is_a_house() -> None:
    """The tests below have something to look at."""
    assert len(HOUSE) > 20
    assert len(SOURCES) > len(HOUSE)


def test_nothing_is_of_this_machine() -> None:
    """No path of whoever worked here, and no package index of theirs, in any file."""
    homes = {str(ROOT), str(Path.home()), sys.prefix, sys.base_prefix, *(os.sep + name for name in ("work", "root"))}
    homes -= {"/", "/usr", "/usr/local"}
    foreign = [rf"{re.escape(home)}(?![\w-])" for home in homes]
    indexes = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL")]
    foreign += [re.escape(host) for index in indexes for host in re.findall(r"//(?:[^/@]*@)?([^/:]+)", index)]
    pattern = re.compile("|".join(foreign).encode())

    found = {names(path): pattern.findall(path.read_bytes()) for path in tracked()}

    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize("path", SOURCES, ids=names)
def test_a_module_opens_with_its_job(path: Path) -> None:
    """Each file says first what it is for."""
    assert ast.get_docstring(ast.parse(path.read_bytes()))


@pytest.mark.parametrize("path", HOUSE, ids=names)
def test_a_room_is_small(path: Path) -> None:
    """A file past the limit is two rooms, a function past it tells two things."""
    source = path.read_text()
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert source.count("\n") <= FILE_LIMIT
    for function in functions:
        assert function.end_lineno
        assert function.end_lineno - function.lineno < FUNCTION_LIMIT, function.name


@pytest.mark.parametrize("path", [path for path in SOURCES if "tests" not in path.relative_to(ROOT).parts], ids=names)
def test_no_expression_has_possessive_quantifiers_or_atomic_groups(path: Path) -> None:
    """CPython 3.11.0 to 3.11.4 match too little with them (gh-106052), and Debian 12 has 3.11.2."""
    tree = ast.parse(path.read_bytes())
    texts = [
        node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]

    found = [text for text in texts if _POSSESSIVE.search(_CHARACTERS.sub("x", text))]

    assert found == []


def test_a_folder_is_one_topic() -> None:
    """A folder past the limit is two topics."""
    folders = [path.parent for path in HOUSE]

    assert {names(folder) for folder in folders if folders.count(folder) > FOLDER_LIMIT} == set()


def test_the_map_shows_every_room() -> None:
    """README's map of the house names each module under its folder, and nothing that is not there."""
    text = (ROOT / "README.rst").read_text()
    shown, folders = set[str](), list[str]()
    for line in text.partition("\n    ucspi_py/\n")[2].partition("\n\n")[0].splitlines():
        # The slash of a long folder stands where the modules begin.
        folder, modules = line[6:22].rstrip(), line[22:78].removeprefix("/").split()
        if folder:
            depth = (len(folder) - len(folder.lstrip())) // 2
            folders[depth:] = [folder.strip().removesuffix("/") + "/"]
        shown |= {"".join(folders) + module for module in modules}
    rooms = {
        str(path.relative_to(ROOT / "ucspi_py").with_suffix("")) for path in HOUSE if not path.stem.startswith("__")
    }

    assert shown == rooms


def test_who_is_sent_to_a_room_finds_it() -> None:
    """README's table of what to change where names files and folders that are there."""
    table = (ROOT / "README.rst").read_text().partition("\nto change ")[2].partition("\n\n")[0]

    places = re.findall(r"``([\w/.]+)``", table)

    assert len(places) > 10
    assert [place for place in places if not any(f"/{place}" in f"/{names(path)}" for path in HOUSE)] == []
