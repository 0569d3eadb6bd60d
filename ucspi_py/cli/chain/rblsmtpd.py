"""pyrblsmtpd alone, under any server that speaks UCSPI."""

from ...system.process.rlimits import SoftLimits
from ...system.standalone import chain
from .. import djb_click
from . import program


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pyrblsmtpd. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    djb_click.run("rblsmtpd", program.USAGE, lambda args: _screen(args, soft_limits))


def _screen(args: list[str], soft_limits: SoftLimits) -> None:
    chain.run(program.read_options(program.RBLSMTPD, args), soft_limits)
