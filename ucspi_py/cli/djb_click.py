"""djb's command-line conventions over click: one usage line, exit codes 100 and 111, options in written order."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..core.errors import AskedWrongly, Failure, error_words
from ..core.numbers import MOST, decimal

#: Bundles, attached values and ``--`` come with click; stopping at the first argument and a free -h do not.
CONTEXT_SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["--help"], "max_content_width": 100}
#: A program of several commands, whose options may stand anywhere.
GROUP_SETTINGS = {"help_option_names": ["--help"], "max_content_width": 120}

if TYPE_CHECKING:
    _IntType = click.ParamType[int]
    _IntsType = click.ParamType[tuple[int, ...]]
else:  # before click 8.4 it takes no parameters
    _IntType = _IntsType = click.ParamType

#: The exit code that shells give a program that Ctrl-C ended: 128 and SIGINT.
_INTERRUPTED = 130
_WRITTEN = "ucspi_py.written"


#: For every program.
version_option = click.version_option(__version__, message="%(prog)s %(version)s")


class OrderedCommand(click.Command):
    """A command that remembers the order in which its options were written; click alone forgets it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_WRITTEN] = self.make_parser(ctx).parse_args(list(args))[2]
        return super().parse_args(ctx, args)


def written_options(ctx: click.Context) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) for every option of an OrderedCommand as written; a flag's value is True.

    Options that take a value must be ``multiple``.
    """
    values = {name: iter(value) for name, value in ctx.params.items() if isinstance(value, tuple)}
    for parameter in ctx.meta[_WRITTEN]:
        if isinstance(parameter, click.Option) and parameter.name:
            yield parameter.name, next(values[parameter.name]) if parameter.multiple else True


class Number(_IntType):
    """Decimal digits and nothing else; C reads ``abc`` as 0 and ``40k`` as 40. least: the smallest number taken."""

    name = "number"

    def __init__(self, least: int = 0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        number = decimal(value)
        if number is None or number < self._least:
            return self.fail(f"must be a number from {self._least} up to {MOST}, not '{value}'", param, ctx)
        return number


class Numbers(_IntsType):
    """Numbers with a character between them, as in 5/60; the last ones may be left out.

    form: what messages and --help call it, ``N[/SECONDS]``. divider: the character. defaults: of the second number and
    those behind it.
    """

    def __init__(self, form: str, divider: str, defaults: tuple[int, ...]) -> None:
        self.name = form
        self._divider = divider
        self._defaults = defaults

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers = tuple(number for word in value.split(self._divider) if (number := decimal(word)) is not None)
        if len(numbers) != value.count(self._divider) + 1 or len(numbers) > len(self._defaults) + 1:
            return self.fail(f"must be {self.name}, numbers up to {MOST}, not '{value}'", param, ctx)
        return numbers + self._defaults[len(numbers) - 1 :]


class _Unwritten(OSError):
    """A text of --help is more than standard output has room for."""


def run(program: str, usage: str, command: Callable[[list[str]], object]) -> None:
    """Run a command on the command line's words and end the process as djb's programs end.

    program: the name that messages carry. usage: the one line shown where something was asked wrongly.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  for the rest of our life
    unforeseen: OSError | None = None
    try:
        code = _outcome(program, usage, command)
    except OSError as error:
        unforeseen, code = error, Failure.exit_code
    deed = "write output" if isinstance(unforeseen, _Unwritten) else "go on"
    unwritten = _flush()
    if unwritten:
        deed, unforeseen, code = "write output", unwritten, Failure.exit_code
    if unforeseen and unforeseen.errno != errno.EPIPE:  # a reader who has read enough needs no word
        complain(f"{program}: fatal: {_unable(deed, unforeseen)}")
    sys.exit(code)


def _outcome(program: str, usage: str, command: Callable[[list[str]], object]) -> int:
    """Run a command and write what its failure calls for; its exit code. Raises the OSErrors of a command."""
    try:
        command(sys.argv[1:])
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except click.UsageError as wrong:
        complain(_sentence(program, wrong), f"{program}: usage: {usage}")
        return AskedWrongly.exit_code
    except Failure as failure:
        lines = [f"{program}: fatal: {failure.sentence}", *(f"{program}: {line}" for line in failure.more)]
        if isinstance(failure, AskedWrongly):
            lines.append(f"{program}: usage: {usage}")
        complain(*lines)
        return failure.exit_code
    except MemoryError:
        complain(f"{program}: fatal: out of memory")
        return Failure.exit_code
    return 0


def _unable(deed: str, error: OSError) -> str:
    where = f" with {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
    return f"unable to {deed}{where}: {error_words(error.errno) if error.errno else error}"


def _flush() -> OSError | None:
    """Flush standard output; its error, None = none. After one the interpreter must not try once more at its end."""
    try:
        sys.stdout.flush()
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
        return error
    return None


def invoke(command: click.Command, program: str, args: list[str]) -> None:
    """Run a click command; run() translates its errors and exit code. program: its name in --help. args: its words."""
    if f"_{program.upper()}_COMPLETE" in os.environ:
        command.main(args, prog_name=program)
    with context(command, program, args) as ctx:
        command.invoke(ctx)


def context(command: click.Command, program: str, args: Sequence[str]) -> click.Context:
    """Parse words without running anything. Raises click's UsageError, or Exit after --help."""
    try:
        return command.make_context(program, list(args))
    except OSError as error:
        if error.filename is not None:
            raise
        raise _Unwritten(*error.args) from None


def complain(*lines: str) -> None:
    """Write lines to standard error in one piece."""
    tell(2, "".join(f"{line}\n" for line in lines if line).encode("utf-8", "surrogateescape"))


def tell(descriptor: int, data: bytes) -> None:
    """Write data to standard output (descriptor 1) or standard error (2).

    A failure is passed over: whether anybody can read it changes no exit code, as in C.
    """
    try:
        os.write(descriptor, data)
    except OSError:
        pass


def _sentence(program: str, wrong: click.UsageError) -> str:
    """Translate an error to sgetopt.c's sentence where it has one; "" for a missing argument: usage is enough."""
    if isinstance(wrong, click.NoSuchOption):
        return f"{program}: illegal option -- {wrong.option_name.lstrip('-')}"
    if isinstance(wrong, click.BadOptionUsage):
        return f"{program}: option requires an argument -- {wrong.option_name.lstrip('-')}"
    if isinstance(wrong, click.MissingParameter):
        return ""
    if isinstance(wrong, click.BadParameter) and wrong.param:
        return f"{program}: fatal: {'/'.join(wrong.param.opts)} {wrong.message}"
    return f"{program}: fatal: {wrong.message}"
