"""pypostgrey: from the command line to a serving master, or to an import."""

import sys

import click

from ...core.errors import Failure, error_words
from ...system.postgrey import start
from ...system.process import descriptors
from ...system.report.log import ERRORS, VERBOSE
from .. import djb_click
from . import options

#: postgrey's exit codes: of its options (Getopt::Long), and of all else that keeps it from running (die).
_OPTIONS, _ELSE = 1, 2


def main() -> None:
    """Run pypostgrey. What is wrong is said in postgrey's manner, and with its exit codes."""
    descriptors.survive_closed()
    sys.exit(_outcome(sys.argv[1:]))


def _outcome(args: list[str]) -> int:
    try:
        return _run(args)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as wrong:
        djb_click.complain(_sentence(wrong))
        return _OPTIONS
    except Failure as failure:
        djb_click.complain(f"ERROR: {failure.sentence}", *failure.more)
        return _ELSE
    except OSError as error:
        djb_click.complain(f"ERROR: {error_words(error.errno)}")
        return _ELSE


def _run(args: list[str]) -> int:
    ctx = djb_click.context(options.pypostgrey, "pypostgrey", args)
    source = ctx.params["source"]
    if source is not None:
        from . import imports

        return imports.run(source, ctx.params)
    start.run(options.settings(ctx), ERRORS if ctx.params["quiet"] else VERBOSE)
    return 0


def _sentence(wrong: click.UsageError) -> str:
    """Translate an error to the sentence of Getopt::Long, where it has one."""
    if isinstance(wrong, click.NoSuchOption):
        return f"Unknown option: {wrong.option_name.lstrip('-')}"
    if isinstance(wrong, click.BadOptionUsage):
        return wrong.message
    if isinstance(wrong, click.BadParameter) and wrong.param:
        return f"ERROR: {wrong.param.opts[-1]} {wrong.message}"
    return f"ERROR: {wrong.message}"
