"""pyrelay: who may relay for a while, since a mailbox was opened from there."""

import sys

import click

from ...system.process.rlimits import SoftLimits
from .. import djb_click
from . import allow

USAGE = "relay command [ option ... ] [ argument ... ]; pyrelay --help names the commands"


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pyrelay. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    if sys.argv[1:2] == [allow.ALLOW]:  # somebody waits for mail: nothing of the other commands
        djb_click.run("relay", allow.USAGE, lambda args: allow.run(args[1:], soft_limits))
    from ..chain import program, relay_options

    usage = relay_options.USAGE if sys.argv[1:2] == [program.CHECK] else USAGE
    djb_click.run("relay", usage, lambda args: _run(args, soft_limits))


def _run(args: list[str], soft_limits: SoftLimits) -> None:
    from ..chain import program

    if args[:1] == [program.CHECK]:
        _check(args[1:], soft_limits)
    else:
        djb_click.invoke(_group(), program.RELAY, args)


def _check(args: list[str], soft_limits: SoftLimits) -> None:
    from ...system.standalone import chain  # a process for each client: nothing of the other commands
    from ..chain import program

    chain.run(program.read_options(program.RELAY, args), soft_limits)


def _group() -> click.Group:
    from ..chain import program, relay_options
    from . import grants, imports, serve

    @click.group(program.RELAY, no_args_is_help=False, context_settings=djb_click.GROUP_SETTINGS)
    @djb_click.version_option
    def pyrelay() -> None:
        """Let clients relay for a while after they have opened a mailbox.

        Exit codes: 0 for done, 1 where there was nothing to do, or not all could be done, 100 for a wrong command line,
        111 where the ledger cannot be used; check and allow become their program.
        """

    for command in (relay_options.check, allow.allow, serve.serve, *grants.COMMANDS, *imports.COMMANDS):
        pyrelay.add_command(command)
    return pyrelay
