"""The service of a run script, as its pytcpserver is told it. Never starts one, and never runs a shell.

An option that only a shell knows is left out, and said.
"""

import socket
from typing import Any, NamedTuple

import click

from ..core.errors import AskedWrongly, Failure
from ..core.service.settings import ServerSettings
from . import djb_click, run_script, tcpserver_options
from .chain import program


class Service(NamedTuple):
    """A service. left_out: what only a shell knows, as it is written, each with what is taken in its place."""

    settings: ServerSettings
    left_out: tuple[str, ...]


class _Own(NamedTuple):
    """The words of one program. options: that are known. unknown: names of those that are not. behind: the rest."""

    options: list[str]
    unknown: set[str]
    behind: list[str]


class _Option(NamedTuple):
    """A word of options. flags: of a bundle, those that take no value. name: of one that takes one, "" = none does.

    has_value: it stands in the same word.
    """

    flags: str
    name: str
    has_value: bool


def read(file: str) -> Service:
    """Read a run script, in whose folder we are: its words are relative to it. file: the path.

    Raises Failure where there is no pytcpserver, AskedWrongly for options that are wrong, and both as its options do.
    """
    words = run_script.words(file, run_script.read(file))
    places = [place for place, word in enumerate(words) if word == run_script.TCPSERVER]
    wrong: AskedWrongly | None = None
    for place in reversed(places):  # an echo before it may name it, too
        try:
            return _service(words[place + 1 :])
        except click.UsageError as usage:
            wrong = wrong or AskedWrongly(f"{file}: {run_script.written(usage.format_message())}")
        except AskedWrongly as asked:
            wrong = wrong or AskedWrongly(f"{file}: {run_script.written(asked.sentence)}")
    raise wrong or Failure(f"unable to find pytcpserver in {file}")


def _service(words: list[str]) -> Service:
    left_out: list[str] = []
    own = _own(run_script.TCPSERVER, tcpserver_options.tcpserver, words, left_out)
    behind = own.behind
    if len(behind) > 3 and run_script.is_unknown(behind[0]) and _is_port(behind[2]):  # $OPTIONS 0 smtp program
        left_out.append(f"{behind.pop(0)}: left out")
    host_and_port = [_known_or_any(word, left_out) for word in behind[:2]]
    chain = _chain(behind[2:], left_out)
    params = djb_click.context(
        tcpserver_options.tcpserver, run_script.TCPSERVER, [*own.options, "--", *host_and_port, *chain]
    ).params
    return Service(tcpserver_options.settings(_without_rights(params)), tuple(map(run_script.written, left_out)))


def _without_rights(params: dict[str, Any]) -> dict[str, Any]:
    """Whoever asks need not know the service's user, becomes nobody else, and need not be able to read its key."""
    return params | {"user": None, "group": None, "ids_from_environment": False, "relay_key": None}


def _known_or_any(word: str, left_out: list[str]) -> str:
    if not run_script.is_unknown(word):
        return word
    left_out.append(f"{word}: taken as 0")
    return "0"


def _chain(words: list[str], left_out: list[str]) -> list[str]:
    """The words of our programs before another one, and of that one."""
    kept: list[str] = []
    while words and (found := program.command_of(words)):
        command, length = found
        own = _own(words[0], command, words[length:], left_out)
        required = {name for one in command.params if one.required for name in one.opts}
        if required.isdisjoint(own.unknown):
            kept += [*words[:length], *own.options]
        else:
            left_out.append(f"{words[0]}: left out as a whole")
        words = own.behind
    return kept + words


def _own(name: str, command: click.Command, words: list[str], left_out: list[str]) -> _Own:
    """Divide the words behind a program's name. left_out: gets the options that only a shell knows."""
    options: list[str] = []
    unknown: set[str] = set()
    behind = list(words)
    while _is_option(behind):
        word = behind.pop(0)
        if word == "--":
            break
        option = _parsed(command, word)
        value = [behind.pop(0)] if option.name and not option.has_value and behind else []
        if any(map(run_script.is_unknown, (word, *value))):
            options += [option.flags] if len(option.flags) > 1 else []
            unknown.add(option.name)
            left_out.append(f"{name} {' '.join((word, *value))}: left out")
        else:
            options += [word, *value]
    return _Own(options, unknown, behind)


def _is_option(words: list[str]) -> bool:
    """Whether the first word is an option; one that only a shell knows is, before another option."""
    if not words or words[0].startswith("-"):
        return bool(words) and len(words[0]) > 1
    return run_script.is_unknown(words[0]) and len(words) > 1 and words[1].startswith("-")


def _parsed(command: click.Command, word: str) -> _Option:
    taking = {name for one in command.params if isinstance(one, click.Option) and not one.is_flag for name in one.opts}
    if word.startswith("--"):
        name, equals, _ = word.partition("=")
        return _Option("", name, bool(equals)) if name in taking else _Option("", "", True)
    for place, letter in enumerate(word[1:], 1):
        if f"-{letter}" in taking:
            return _Option(word[:place], f"-{letter}", len(word) > place + 1)
    return _Option("" if run_script.is_unknown(word) else word, "", True)


def _is_port(word: str) -> bool:
    try:
        return word.isdecimal() or bool(socket.getservbyname(word, "tcp"))
    except OSError:
        return False
