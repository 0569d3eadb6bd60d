"""The program behind a chain program, in the place of our process. Never returns."""

import signal

from ...core.errors import unable
from ..process import pathexec
from ..process import rlimits as limits
from ..process.signals import INTERPRETERS


def become(argv: tuple[str, ...], environment: dict[bytes, bytes], soft_limits: limits.SoftLimits) -> None:
    """Become a program, under the limits that softlimit in front of us meant for it. Raises Failure where none runs."""
    for number in INTERPRETERS:  # ignored, they would stay ignored in the program
        signal.signal(number, signal.SIG_DFL)
    try:
        file = pathexec.find(argv[0])
        pathexec.become(limits.under(soft_limits, file, argv, environment) if soft_limits else argv, environment)
    except OSError as error:
        raise unable(f"run {argv[0]}", error) from None
