"""pysmtpgate alone, under any server that speaks UCSPI."""

from ...system.process.rlimits import SoftLimits
from ...system.standalone import chain
from .. import djb_click
from . import program, smtpgate_options


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pysmtpgate. soft_limits: those that softlimit in front of us meant for the program behind, in bytes."""
    djb_click.run("smtpgate", smtpgate_options.USAGE, lambda args: _gate(args, soft_limits))


def _gate(args: list[str], soft_limits: SoftLimits) -> None:
    with djb_click.context(smtpgate_options.smtpgate, program.SMTPGATE, args) as ctx:
        if ctx.params["check"]:
            smtpgate_options.check(ctx)
            return
    chain.run(program.read_options(program.SMTPGATE, args), soft_limits)
