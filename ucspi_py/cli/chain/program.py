"""The words after tcpserver's port, or a chain program's own -> the screens, the gate, and the program behind."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from ...core.dnsbl import zone
from ...core.dnsbl.settings import DnsblSettings
from ...core.errors import AskedWrongly
from ...core.ledger.settings import RelaySettings
from ...core.service.settings import Program, ScreenSettings
from ...system.process.pathexec import find
from .. import djb_click
from . import greylist_options, relay_options

RBLSMTPD = "pyrblsmtpd"
GREYLIST = "pygreylist"
SMTPGATE = "pysmtpgate"
#: Of its commands the first is a screen.
RELAY, CHECK = "pyrelay", "check"
USAGE = (
    "rblsmtpd [ -bBcCipv ] [ -t timeout ] [ -r base ] [ -a base ] [ -d seconds ] [ -T score ] [ -w seconds ] "
    "smtpd [ arg ... ]"
)

#: rblsmtpd.c: the default of -t.
_SESSION_SECONDS = 60
#: Seconds for all zones together; C takes up to 60 for each, one after the other.
_LOOKUP_SECONDS = 5


@click.command(cls=djb_click.OrderedCommand, context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.option("-r", "list_zone", metavar="ZONE", multiple=True, help="Refuse clients that this zone lists.")
@click.option("-a", "allow_zone", metavar="ZONE", multiple=True, help="Accept clients that this zone lists.")
@click.option("-b", "bounce", is_flag=True, help="Zones after this: refuse for good (553).")
@click.option("-B", "no_bounce", is_flag=True, help="Zones after this: refuse for now (451, the default).")
@click.option("-c", "fail_closed", is_flag=True, help="Zones after this: a failed look-up refuses for now.")
@click.option("-C", "fail_open", is_flag=True, help="Zones after this: a failed look-up lets in (the default).")
@click.option(
    "-t",
    "session_seconds",
    metavar="SECONDS",
    type=djb_click.Number(),
    multiple=True,
    help=f"How long a refused client is talked to ({_SESSION_SECONDS}); 0: it only gets the refusal.",
)
@click.option(
    "-d",
    "lookup_seconds",
    metavar="SECONDS",
    type=djb_click.Number(1),
    default=_LOOKUP_SECONDS,
    help=f"For all zones together ({_LOOKUP_SECONDS}).",
)
@click.option(
    "-T",
    "scores",
    metavar="N[/M]",
    type=djb_click.Numbers("N[/M]", "/", (0,)),
    help="Add up the weights of the zones; refuse from N on for now, from M on for good.",
)
@click.option(
    "-w", "greet_seconds", metavar="SECONDS", type=djb_click.Number(), default=0, help="Greet after this time."
)
@click.option("-p", "ask_private", is_flag=True, help="Ask about private addresses too.")
@click.option(
    "-i", "interrogate", is_flag=True, help="Refuse nobody; tell the program in RBLSMTPD, RBLSCORE, RBLZONES."
)
@click.option("--dry-run", is_flag=True, help="Refuse nobody; log who would be refused.")
@click.option("-v", "verbose", is_flag=True, help="Log what each zone and each refused client says.")
@click.argument("program", nargs=-1, required=True)
def screen_options(**_options: object) -> None:
    """Refuse a client that a DNS zone lists, run PROGRAM for any other.

    Options act in the order in which they are written. $TCPREMOTEIP is the client; $RBLSMTPD, where set, is the
    verdict: empty accepts, text refuses with 451, -text with 553.

    ZONE is [alias@]name[+v6][+notest][=codes][*weight][:text], as in zen.example.org=127.0.0.[2..11]*3.

    Example: pyrblsmtpd -r bl.example.org qmail-smtpd
    """


def read(words: Sequence[str]) -> Program:
    """Parse the words of a program, and the screens and the gate in front.

    Raises AskedWrongly for wrong options of one of these, Failure for a file that cannot be read.
    """
    return _whole(_read(words))


def read_options(name: str, words: Sequence[str]) -> Program:
    """Parse the options of one of our chain programs and the program behind. name: its own. words: without the name.

    Raises click's UsageError, or Exit after --help; AskedWrongly and Failure as read does.
    """
    return _whole(_read_options(name, words))


def command_of(words: Sequence[str]) -> tuple[click.Command, int] | None:
    """Find the command whose options stand behind the first words, and their number; None = no program of ours."""
    name = _ours(words)
    if name == SMTPGATE:
        from . import smtpgate_options

        return smtpgate_options.smtpgate, 1
    return (_SCREENS[name][0], _length(name)) if name else None


def _read(words: Sequence[str]) -> Program:
    name = _ours(words)
    if name is None:
        return Program((), tuple(words))
    try:
        return _read_options(name, words[_length(name) :])
    except click.UsageError as wrong:
        raise AskedWrongly(f"{words[0]}: {wrong.format_message()}") from None


def _read_options(name: str, words: Sequence[str]) -> Program:
    if name == SMTPGATE:
        return _gated(words)
    command, settings = _SCREENS[name]
    ctx = djb_click.context(command, name, words)
    inner = _read(ctx.params["program"])
    return Program((settings(ctx), *inner.screens), inner.argv, inner.gate)


def _whole(program: Program) -> Program:
    """Look at the chain as a whole. Raises AskedWrongly for two greylists that do not know of each other."""
    lists = program.gate and program.gate.restrictions
    if lists and lists.greylist:
        from ...core.gate.greylist import beside

        flaw = beside.flaw(program.screens, lists.greylist)
        if flaw:
            raise AskedWrongly(flaw)
    return _ledger_first(program)


def _ledger_first(program: Program) -> Program:
    """Who has a grant is asked by the gate before any screen: then zones and greylist spare the client."""
    gate = program.gate
    if gate is None or gate.relay_store is None:
        return program
    return replace(program, screens=(RelaySettings(gate.relay_store, gate.mynetworks), *program.screens))


def zone_screen(words: Sequence[str]) -> DnsblSettings:
    """Parse the options of pyrblsmtpd, whatever stands behind them. Raises as read_options does."""
    return _settings(djb_click.context(screen_options, RBLSMTPD, words))


def _gated(words: Sequence[str]) -> Program:
    from . import smtpgate_options  # a screen alone starts once for each client, and mostly without a gate

    ctx = djb_click.context(smtpgate_options.smtpgate, SMTPGATE, words)
    if ctx.params["makes_map"] or ctx.params["query"] is not None:
        raise AskedWrongly("--query and --map stand first, in a command of their own")
    argv = tuple(ctx.params["program"])
    if ctx.params["check"]:
        raise AskedWrongly(f"{SMTPGATE} --check stands alone")
    if not argv:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[-1])
    behind = _ours(argv)
    if behind:
        raise AskedWrongly(f"{behind} stands behind {SMTPGATE}, which must be the last of our programs: put it before")
    return Program((), argv, smtpgate_options.settings(ctx))


def _settings(ctx: click.Context) -> DnsblSettings:
    zones = []
    flags = {"bounce": False, "fail_closed": False}
    session_seconds = _SESSION_SECONDS
    for name, value in djb_click.written_options(ctx):
        match name:
            case "bounce" | "no_bounce":
                flags["bounce"] = name == "bounce"
            case "fail_closed" | "fail_open":
                flags["fail_closed"] = name == "fail_closed"
            case "session_seconds":
                session_seconds = value
            case "list_zone" | "allow_zone":
                zones.append(zone.parse(value, allow=name == "allow_zone", **flags))
    refuse_score, bounce_score = _scores(ctx.params["scores"])
    if refuse_score is None and any(listed.weight is not None for listed in zones):
        raise AskedWrongly("a zone with a *weight needs -T, the score from which a client is refused")
    if refuse_score is not None and any(listed.bounce for listed in zones):
        raise AskedWrongly("-b means nothing with -T: -T N/M says from which score a client is refused for good")
    others = ("lookup_seconds", "greet_seconds", "ask_private", "interrogate", "dry_run", "verbose")
    return DnsblSettings(
        zones=tuple(zones),
        session_seconds=session_seconds,
        refuse_score=refuse_score,
        bounce_score=bounce_score,
        **{name: ctx.params[name] for name in others},
    )


def _scores(written: tuple[int, ...] | None) -> tuple[int | None, int | None]:
    """Check -T: the scores from which a client is refused temporarily and permanently, None = never."""
    refuse, bounce = written or (None, None)
    if refuse is not None and (refuse < 1 or 0 < (bounce or 0) < refuse):
        raise AskedWrongly("-T takes N[/M], N from 1 up and M not below N: everybody has 0 to begin with")
    return refuse, bounce or None


def defaults() -> DnsblSettings:
    """Make a screen without a zone, all options as by default."""
    return zone_screen(["program"])


def with_zones(settings: DnsblSettings, zones: tuple[zone.Zone, ...]) -> DnsblSettings:
    """Append zones to a screen's own; where any zone has a weight and there is no -T, the score 1 refuses."""
    every = settings.zones + zones
    weighed = settings.refuse_score is None and any(listed.weight is not None for listed in every)
    return replace(settings, zones=every, refuse_score=1 if weighed else settings.refuse_score)


_SCREENS: dict[str, tuple[click.Command, Callable[[click.Context], ScreenSettings]]] = {
    RBLSMTPD: (screen_options, _settings),
    GREYLIST: (greylist_options.greylist, greylist_options.settings),
    RELAY: (relay_options.check, relay_options.settings),
}


_OURS = frozenset((*_SCREENS, SMTPGATE))


def _ours(words: Sequence[str]) -> str | None:
    """Find which of ours a program is, by its name or by that of the file that it leads to; None = another program."""
    name = os.path.basename(words[0])
    if name not in _OURS:
        try:
            name = os.path.basename(os.path.realpath(find(words[0])))
        except OSError:
            return None
    if name == RELAY and CHECK not in words[1:2]:
        return None
    return name if name in _OURS else None


def _length(name: str) -> int:
    """How many words are the name of a program of ours."""
    return 2 if name == RELAY else 1
