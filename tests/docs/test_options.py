"""What a page says of options is what the program itself says."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
import shell_completions

from tests.support.pages import DOCS, PROGRAMS, program_page, rows, sections
from ucspi_py.cli.greylist.commands import COMMANDS as GREYLIST_COMMANDS
from ucspi_py.core.gate.language.parameters import PARAMETERS
from ucspi_py.core.gate.language.refused import REFUSED

#: Programs of several commands.
GROUPS = ("pygreylist", "pyrelay", "pyrules")
_OPTION = re.compile(r"(?<![\w-])--?\w[\w-]*")
OWN_WORDS = shell_completions.own_words(DOCS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_page_has_the_options_of_help_and_no_others(program: str) -> None:
    """Each in the first column of a table."""
    heads = [row[0].astext() for row in rows(sections(program_page(program))["Options"], "option")]

    assert sorted(option for head in heads for option in _OPTION.findall(head)) == sorted(_helped(program))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_default_is_the_one_of_help(program: str) -> None:
    """A number in brackets in ``--help`` stands in the option's row."""
    defaults = {
        option: " ".join(entry.astext() for entry in row[1:])
        for row in rows(sections(program_page(program))["Options"], "option")
        for option in _OPTION.findall(row[0].astext())
    }
    helped = {option: found[1] for option, text in _helped(program).items() if (found := re.search(r"\(/?(\d+)", text))}

    assert {option: number for option, number in helped.items() if number not in defaults[option]} == {}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_says_whose_an_option_is_and_whether_it_has_a_value(program: str) -> None:
    """As shells complete them: of the program itself, and of each of its commands."""
    said = {
        command: {name: option.takes for option in options for name in option.names}
        for command, options in OWN_WORDS[program].options.items()
    }

    for command, options in said.items():
        helped = {
            name: bool(re.search(r" [\[A-Z]", head))
            for head, _ in _entries(_help(program, *([command] if command else [])))
            for name in _OPTION.findall(head)
        }
        assert (command, options) == (command, helped)


@pytest.mark.parametrize("program", GROUPS)
def test_the_page_of_a_group_has_its_commands(program: str) -> None:
    """Those that ``--help`` lists."""
    shown = [row[0].astext().split()[0] for row in rows(sections(program_page(program))["Interface"], "command")]

    assert sorted(shown) == _commands(program)


def test_the_parameters_of_the_page_are_those_of_help() -> None:
    """In its order, in its words; a default that is a value is the same."""
    shown = [
        tuple(entry.astext() for entry in row)
        for row in rows(sections(program_page("pysmtpgate"))["Options"], "parameter")
    ]

    assert [row[:2] for row in shown] == [(one.name, one.explanation) for one in PARAMETERS]
    given = {one.name: one.default or "none" for one in PARAMETERS if one.default is not None}
    assert {name: default for name, _, default in shown if name in given} == given


def test_the_page_names_what_is_refused() -> None:
    """Each parameter with the reason that its sentence has."""
    notes = sections(program_page("pysmtpgate"))["Notes"]
    shown = [tuple(entry.astext() for entry in row) for row in rows(notes, "refused parameter")]

    assert [(name, reason) for name, _, reason in shown] == [(one.name, one.reason) for one in REFUSED]


def _helped(program: str) -> dict[str, str]:
    """What ``--help`` says of each option, of those of all commands too."""
    texts = [_help(program), *(_help(program, command) for command in _commands(program))]
    said: dict[str, str] = {}
    for text in texts:
        for head, words in _entries(text):
            said |= dict.fromkeys(_OPTION.findall(head), words)
    return said


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The options of a text of ``--help``, with their values, and what it says of them."""
    for entry in re.findall(r"^  (-.*(?:\n {4,}.*)*)", text.partition("\nOptions:\n")[2], re.MULTILINE):
        head, _, words = entry.replace("\n", "  ").partition("  ")
        yield head, " ".join(words.split())


def _commands(program: str) -> list[str]:
    if program not in GROUPS:
        return []
    if program == "pygreylist":  # its own help is that of the screen
        return sorted(GREYLIST_COMMANDS)
    return re.findall(r"^  ([a-z]\S*)", _help(program).partition("\nCommands:\n")[2], re.MULTILINE)


@cache
def _help(*words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "ucspi_py", *words, "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
