"""pygreylist alone, under any server that speaks UCSPI."""

from ...system.process.rlimits import SoftLimits
from ...system.standalone import chain
from .. import djb_click
from . import greylist_options, program


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pygreylist. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    djb_click.run("greylist", greylist_options.USAGE, lambda args: _screen(args, soft_limits))


def _screen(args: list[str], soft_limits: SoftLimits) -> None:
    chain.run(program.read_options(program.GREYLIST, args), soft_limits)
