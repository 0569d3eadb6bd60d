"""pyrblsmtpd alone, under any server that speaks UCSPI."""

import os

from ..system import launch, standalone
from . import manners, program


def main() -> None:
    """The program."""
    manners.run("rblsmtpd", program.USAGE, _screen)


def _screen(args: list[str]) -> None:
    soft_limits = launch.take_note(os.environb)
    standalone.run(program.read_options(program.RBLSMTPD, args), soft_limits)
