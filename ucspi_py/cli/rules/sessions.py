"""pyrules explain --session: the way of a client through the service of a run script."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import click

from ...core.errors import AskedWrongly, unable
from ...core.explain.question import Asked
from ...core.explain.steps import Judged, Step, Way
from ...core.text import shown
from ...system.explain import way
from ...system.rules import source_input
from .. import service_from, tables


class Said(NamedTuple):
    """What was asked on the command line. file: the run script. message: the path of a file."""

    file: str | None
    helo: str | None
    sender: str | None
    recipients: tuple[str, ...]
    message: str | None
    login: str | None


def explain(ip: bytes, said: Said, *, as_json: bool) -> None:
    """Print what becomes of a client. ip: canonical. Raises AskedWrongly, Failure."""
    if said.file is None:
        raise AskedWrongly("--session needs --from, the run script of the service")
    asked = _asked(ip, said)
    file = os.path.abspath(said.file)
    try:
        os.chdir(os.path.dirname(file))  # where its supervisor starts it
    except OSError as error:
        raise unable(f"read {said.file}", error) from None
    service = service_from.read(file)
    found = way.explain(service.settings, asked)
    if as_json:
        tables.as_json(_for_programs(ip, service.left_out, found))
        return
    for line in _lines(ip, service.left_out, found):
        click.echo(line)


def _asked(ip: bytes, said: Said) -> Asked:
    helo, sender, login = (None if word is None else _word(word) for word in (said.helo, said.sender, said.login))
    recipients = tuple(map(_word, said.recipients))
    message = None if said.message is None else source_input.content(said.message)
    return Asked(ip, helo, sender, recipients, message, login)


def _word(word: str) -> bytes:
    """What the client says of itself is one line. Raises AskedWrongly."""
    if not word.isprintable():
        raise AskedWrongly(f"{word!r} cannot be said in one line")
    return word.encode("utf-8", "surrogateescape")


def _lines(ip: bytes, left_out: tuple[str, ...], found: Way) -> Iterator[str]:
    for option in left_out:
        yield f"only a shell knows {option}"
    for step in found.steps:
        yield click.style(step.what, bold=True)
        yield from (f"    {line}" for line in _within(step))
    yield click.style(f"{shown(ip)} {found.verdict}", bold=True)
    for name, value in (found.environment or {}).items():
        yield f"    {name}={value}"


def _within(step: Step) -> Iterator[str]:
    yield from step.found
    head: str | None = None
    for one in step.judged:
        if one.depth == 0 and one.list != head:
            head = one.list
            yield head or "behind all lists"
        yield from _judged(one, step.reply)
    for told in step.milters:
        yield f"milter {told.milter}: {told.verdict}"
        yield from (f"    {change}" for change in told.changes)
    yield from (f"> {line}" for line in step.reply)
    yield from (f"log: {line}" for line in step.log)


def _judged(one: Judged, reply: tuple[str, ...]) -> Iterator[str]:
    """One restriction; where it refuses, the reply stands below all of them."""
    indent = "    " * (one.depth + 1)
    refuses = bool(reply) and one.verdict == f"reject: {reply[-1]}"
    yield f"{indent}{one.restriction}: {'reject' if refuses else one.verdict}"
    yield from (f"{indent}    {fact}" for fact in one.facts)


def _step(step: Step) -> dict[str, object]:
    judged, milters = ([one._asdict() for one in many] for many in (step.judged, step.milters))
    return {**step._asdict(), "judged": judged, "milters": milters}


def _for_programs(ip: bytes, left_out: tuple[str, ...], found: Way) -> dict[str, object]:
    return {
        "client": shown(ip),
        "left_out": list(left_out),
        "steps": list(map(_step, found.steps)),
        "verdict": found.verdict,
        "environment": found.environment,
    }
