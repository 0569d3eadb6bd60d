"""pytcpserver: from the command line to a serving master."""

from ..system.process import descriptors
from ..system.process.rlimits import SoftLimits
from ..system.service import start
from . import djb_click, tcpserver_options

USAGE = (
    "tcpserver [ -1UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] "
    "[ -b backlog ] [ -l localname ] [ -t timeout ] [ -w workers ] [ -C n[:message] ] [ --check ] host port program"
)


def main(soft_limits: SoftLimits = ()) -> None:
    """Run pytcpserver. soft_limits: those that softlimit in front of us meant for the programs, in bytes."""
    descriptors.survive_closed()
    descriptors.keep_to_ourselves()
    djb_click.run("tcpserver", USAGE, lambda args: _serve(args, soft_limits))


def _serve(args: list[str], soft_limits: SoftLimits) -> None:
    ctx = djb_click.context(tcpserver_options.tcpserver, "pytcpserver", args)
    if ctx.params["check"]:
        from .check import service  # not for each server

        service.check(ctx)
        return
    words = ctx.params["words"]
    settings = tcpserver_options.settings(ctx.params)
    log = start.run(settings, soft_limits)
    if log:
        from .check import service  # not for each server

        service.check_trial(ctx, settings, words, log)
