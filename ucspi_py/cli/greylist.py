"""pygreylist alone, under any server that speaks UCSPI."""

import os

from ..system import launch, standalone
from . import greylist_options, manners, program


def main() -> None:
    """The program."""
    manners.run("greylist", greylist_options.USAGE, _screen)


def _screen(args: list[str]) -> None:
    soft_limits = launch.take_note(os.environb)
    standalone.run(program.read_options(program.GREYLIST, args), soft_limits)
