"""pygreylist: a screen before a program; and for who looks after it, the records that greylists keep."""

import sys

import click

from ...system.process.rlimits import SoftLimits
from .. import djb_click

#: A first word that is none of these begins the options of the screen.
COMMANDS = ("allow", "forget", "list", "report", "show")
USAGE = "greylist command -s store [ option ... ] [ argument ... ]; the commands are " + ", ".join(COMMANDS)


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pygreylist. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:
        djb_click.run("greylist", USAGE, lambda args: djb_click.invoke(_group(), "pygreylist", args))
    from ..chain import greylist  # a process for each client: nothing of the commands

    greylist.main(soft_limits)


def _group() -> click.Group:
    from . import changes, listing, report

    @click.group("pygreylist", context_settings=djb_click.GROUP_SETTINGS)
    def pygreylist() -> None:
        """Look at the records of greylists, and change them.

        Exit codes: 0 for done, 1 where there was nothing, 100 for a wrong command line, 111 where the store cannot be
        used.
        """

    for command in (*changes.COMMANDS, *listing.COMMANDS, report.report):
        pygreylist.add_command(command)
    return pygreylist
