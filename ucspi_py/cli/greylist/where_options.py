"""What of the records is meant, as it is written on a command line. Never reads one."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...core.errors import AskedWrongly
from ...core.greylist.records import where
from ...core.greylist.records.kinds import Kind
from ...core.greylist.records.where import Letter, Wanted

_Command = TypeVar("_Command", bound=Callable[..., Any])

kind_option = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    callback=lambda _ctx, _option, word: None if word is None else Kind(word),
    help="Records of this kind alone.",
)


def meaning(command: _Command) -> _Command:
    """Add the arguments of whoever means a place, and perhaps a sender and a recipient there."""
    for argument in (
        click.argument("recipient", required=False),
        click.argument("sender", required=False),
        click.argument("where"),
    ):
        command = argument(command)
    return command


def wanted(kind: Kind | None, place: str, sender: str | None, recipient: str | None) -> list[Wanted]:
    """Parse what is meant. kind: None = any. Raises AskedWrongly."""
    try:
        found = where.wanted(where.place(place), letter(sender, recipient))
    except ValueError as wrong:
        raise AskedWrongly(str(wrong)) from None
    return [one for one in found if kind in (None, one.kind)]


def letter(sender: str | None, recipient: str | None) -> Letter | None:
    """Parse who sends to whom; None = it is not said. Raises AskedWrongly."""
    if sender is None:
        return None
    if recipient is None:
        raise AskedWrongly("behind a SENDER a RECIPIENT is needed: triplets are kept by hashes of both")
    return Letter(os.fsencode(sender.removeprefix("<").removesuffix(">")), os.fsencode(recipient))
