"""The options of pysmtpgate -> its settings. Never reads the program behind them."""

import click

from ...core.errors import CorruptRules, Failure, unable
from ...core.gate.language import parameters
from ...core.gate.settings import GateSettings
from ...system.rules.whole_file import read_whole
from .. import djb_click

USAGE = "smtpgate [ -f file ] [ -o name=value ] ... smtpd [ arg ... ]"


class _GateCommand(click.Command):
    """A command that lists the parameters below its options."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Parameters, as in Postfix"):
            formatter.write_dl([(_head(one), one.explanation) for one in parameters.PARAMETERS], col_max=50)


def _head(parameter: parameters.Parameter) -> str:
    return parameter.name if parameter.default is None else f"{parameter.name} = {parameter.default}".rstrip()


@click.command(cls=_GateCommand, context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.option("-f", "file", metavar="FILE", help="Read parameters from FILE, lines of name = value.")
@click.option("-o", "options", metavar="NAME=VALUE", multiple=True, help="Set a parameter, whatever FILE says.")
@click.argument("program", nargs=-1, required=True)
def smtpgate(**_options: object) -> None:
    """Speak SMTP with the client, and run PROGRAM once a recipient has passed.

    $TCPREMOTEIP is the client. It may send to anybody with $RELAYCLIENT or from mynetworks, else to the domains of
    control/rcpthosts, control/morercpthosts.cdb and relay_domains. PROGRAM is told the envelope anew.

    Example: pysmtpgate -o mynetworks=192.0.2.0/24 qmail-smtpd
    """


def settings(ctx: click.Context) -> GateSettings:
    """Make the settings of parsed options.

    Raises AskedWrongly for a parameter that is wrong, Failure for a file that cannot be read.
    """
    file = ctx.params["file"]
    said = [] if file is None else parameters.from_file(file, _text(file))
    return parameters.parse([*said, *map(parameters.from_option, ctx.params["options"])])


def _text(path: str) -> str:
    try:
        return read_whole(path)[0].decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    except OSError as error:
        raise unable(f"read {path}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {path}: {corrupt.sentence}") from None
