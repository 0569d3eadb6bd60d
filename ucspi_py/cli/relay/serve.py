"""pyrelay serve: records logins that pyrelay allow tells of."""

import pwd
from typing import Any

import click

from ...core.ledger.recorder.settings import PORTS, RecorderSettings
from ...core.numbers import decimal, port
from ...system.recorder import serve as recorder
from ...system.recorder import tickets
from ...system.report import log
from .. import djb_click
from . import ledger_options
from .allow import socket_option


def _users(_ctx: click.Context, _option: click.Parameter, words: tuple[str, ...]) -> frozenset[int]:
    return frozenset(map(_user, words))


def _user(word: str) -> int:
    number = decimal(word)
    if number is not None:
        return number
    try:
        return pwd.getpwnam(word).pw_uid
    except KeyError:
        raise click.BadParameter(f"no user '{word}', neither a name nor a number") from None


def _ports(_ctx: click.Context, _option: click.Parameter, text: str) -> tuple[int, ...]:
    numbers = [port(word) for word in text.split(",")]
    ports = tuple(number for number in numbers if number)
    if len(ports) != len(numbers):
        raise click.BadParameter(f"must be numbers of ports with commas between them, not '{text}'")
    return ports


@click.command(context_settings=djb_click.CONTEXT_SETTINGS)
@ledger_options.granting
@socket_option
@click.option(
    "--trust",
    "trusted",
    metavar="USER",
    multiple=True,
    callback=_users,
    help="Believe the address that programs of this user tell, a name or a number; root's always.",
)
@click.option(
    "--ports",
    metavar="PORT,...",
    default=",".join(map(str, PORTS)),
    callback=_ports,
    help="To which clients log in (110,143,993,995).",
)
@click.option("--key", metavar="FILE", help="Believe tickets by this key, which pytcpserver --relay-key has too.")
def serve(**options: Any) -> None:
    """Record logins that pyrelay allow tells of, at the socket PATH.

    Runs as a user whom no mailbox belongs to, and who may write STORE and make PATH.

    Example: pyrelay serve -s /var/lib/relay/db --socket /run/relay/socket --trust dovecot
    """
    key = options.pop("key")
    settings = RecorderSettings(
        key=None if key is None else tickets.read_key(key),
        **{name: options.pop(name) for name in ("socket", "trusted", "ports")},
    )
    recorder.run(settings, ledger_options.settings(**options), log.Log(log.ERRORS))
