"""The options of pysmtpgate -> its settings. Never reads the program behind them."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import click

from ...core.errors import AskedWrongly, CorruptRules, Failure, unable
from ...core.gate.language import master, parameters, syntax
from ...core.gate.language.configuration import Configuration, mentioned
from ...core.gate.language.parameter import Parameter
from ...core.gate.language.sasl_parameters import ENABLE
from ...core.gate.language.syntax import Setting
from ...core.gate.settings import GateSettings
from ...system.rules.whole_file import read_whole
from .. import djb_click

USAGE = (
    "smtpgate [ -f file [ --service name ] ] [ -o name=value ] ... [ --check [ -u user ] [ -g group ] | --dry-run ] "
    "smtpd [ arg ... ], "
    "smtpgate --query key map, smtpgate --map source, smtpgate --import-spamdyke file"
)


class _GateCommand(click.Command):
    """A command that lists the parameters below its options."""

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Parameters, as in Postfix"):
            formatter.write_dl([(_head(one), one.explanation) for one in parameters.PARAMETERS], col_max=34)


def _head(parameter: Parameter) -> str:
    return parameter.name if parameter.default is None else f"{parameter.name} = {parameter.default}".rstrip()


@click.command(cls=_GateCommand, context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.option("-f", "file", metavar="FILE", help="Read parameters from FILE, lines of name = value.")
@click.option("-o", "options", metavar="NAME=VALUE", multiple=True, help="Set a parameter, whatever FILE says.")
@click.option("--service", metavar="NAME", help="Set what master.cf beside FILE has for this service of smtpd.")
@click.option("--dry-run", is_flag=True, help="Refuse nobody whom PROGRAM would not; log who would be refused.")
@click.option("--check", is_flag=True, help="Name errors and traps, each with its line, and end.")
@click.option("-u", "user", metavar="USER", help="With --check: try what asks about passwords as this user.")
@click.option("-g", "group", metavar="GROUP", help="With --check: and as this group, and no other.")
@click.option("--query", metavar="KEY", help="Print what the table PROGRAM, as in hash:FILE, has for KEY, and exit.")
@click.option("--map", "makes_map", is_flag=True, help="Make PROGRAM.cdb of the lines KEY VALUE of PROGRAM, and exit.")
@click.option(
    "--import-spamdyke", "spamdyke", metavar="FILE", help="Print what spamdyke.conf says as main.cf, and exit."
)
@click.argument("program", nargs=-1)
def smtpgate(**_options: object) -> None:
    """Speak SMTP with the client, and run PROGRAM once a recipient has passed.

    $TCPREMOTEIP is the client. It may send to anybody with $RELAYCLIENT or from mynetworks, else to the domains of
    control/rcpthosts, control/morercpthosts.cdb and those that the parameters name. PROGRAM is told the envelope anew.

    Example: pysmtpgate -o mynetworks=192.0.2.0/24 qmail-smtpd
    """


class Sources(NamedTuple):
    """What options name: all that a configuration is made of, in its order."""

    settings: list[Setting]
    directory: str = ""
    names: frozenset[str] = frozenset()
    service: str = "smtp"


def sources(ctx: click.Context, read: Callable[[str, str], list[Setting]] = syntax.settings) -> Sources:
    """Read what parsed options name. read: finds the settings of a file by its name and text.

    Raises AskedWrongly for what is no setting, Failure for a file that cannot be read.
    """
    file, service = ctx.params["file"], ctx.params["service"]
    if file is None and service:
        raise AskedWrongly("--service needs -f: master.cf stands beside that file")
    if file is None:
        return Sources(list(map(syntax.option, ctx.params["options"])))
    said = read(file, _text(file))
    beside = os.path.join(os.path.dirname(file), "master.cf")
    services = _text(beside) if service or os.path.exists(beside) else ""
    if service:
        said += master.service_settings(beside, services, service)
    said += map(syntax.option, ctx.params["options"])
    name = service.partition("/")[0] if service else "smtp"
    return Sources(said, os.path.dirname(os.path.abspath(file)), mentioned(services), name)


def settings(ctx: click.Context) -> GateSettings:
    """Make the settings of parsed options. Raises as sources() does, and AskedWrongly for a wrong name or value.

    What few have is loaded where it is asked for: alone, the gate is a process for each client.
    """
    if ctx.params["user"] or ctx.params["group"]:
        raise AskedWrongly("-u and -g go with --check: the server in front has its own")
    asked = Configuration(*sources(ctx))
    found = replace(asked.gate_settings(), dry_run=ctx.params["dry_run"])
    if asked.has_lists:
        from ...core.gate.restrictions import configured
        from ...system.process.interfaces import host_addresses

        found = replace(found, restrictions=configured.restriction_settings(asked, host_addresses))
    if asked.has_checks:
        from ...core.gate.content.configured import content_settings

        found = replace(found, content=content_settings(asked))
    if asked.has_milters:
        from ...core.gate.milter.configured import gate_milters

        found = replace(found, milters=gate_milters(asked))
    if asked.value(ENABLE):
        from ...core.gate.logins.configured import login_settings

        found = replace(found, logins=login_settings(asked))
    if asked.has_tls:
        from ...core.gate.tls.configured import gate_tls
        from ...system.gate.tls.server_names import server_names

        found = replace(found, tls=gate_tls(asked, server_names))
    return found


def _text(path: str) -> str:
    try:
        return read_whole(path)[0].decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    except OSError as error:
        raise unable(f"read {path}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {path}: {corrupt.sentence}") from None
