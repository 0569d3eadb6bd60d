"""The options of pytcpserver -> its settings: every option of tcpserver, host, port and program."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from ..core.client import limits
from ..core.errors import AskedWrongly
from ..core.guard.settings import GuardSettings
from ..core.numbers import MOST, decimal
from ..core.rules.cidr import Network
from ..core.service.settings import Program, ServerSettings
from ..system.process import privileges
from ..system.report import log
from ..system.service import start
from . import djb_click
from .chain import program
from .server import fleet, supervision, tls

_Decorator = Callable[[click.decorators.FC], click.decorators.FC]


def _flag(on: str, off: str, name: str, text: str, *, default: bool) -> _Decorator[Any]:
    return click.option(f"-{on}/-{off}", name, default=default, help=text)


def _loudness(letter: str, verbosity: int, text: str) -> _Decorator[Any]:
    return click.option(f"-{letter}", "verbosity", flag_value=verbosity, type=int, help=text)


@click.command(context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.option("-c", "limit", metavar="N", type=djb_click.Number(1), default=40, help="Programs at once (40).")
@click.option("-x", "rules", metavar="CDB", help="Follow the rules that tcprules compiled into CDB.")
@click.option("-X", "allow_no_rules", is_flag=True, help="Let everybody in where CDB does not exist.")
@click.option("-B", "banner", metavar="TEXT", default="", help="Write TEXT to the client at once.")
@click.option("-u", "user", metavar="USER", help="Become this user, a name or a number, once listening.")
@click.option("-g", "group", metavar="GROUP", help="Become this group, a name or a number, once listening.")
@click.option("-U", "ids_from_environment", is_flag=True, help="-u $UID -g $GID.")
@click.option("-b", "backlog", metavar="N", type=djb_click.Number(), help="Clients that may queue (1024).")
@click.option("-l", "local_name", metavar="NAME", help="$TCPLOCALHOST; do not look it up.")
@click.option("-t", "lookup_seconds", metavar="SECONDS", type=djb_click.Number(), default=26, help="For look-ups (26).")
@click.option("-w", "--workers", metavar="N", type=djb_click.Number(1), help="Processes that accept (one a CPU).")
@click.option("-C", "--per-client", metavar="N[:TEXT]", help="Connections at once of one IPv4 address or IPv6 /64.")
@click.option(
    "--per-network",
    metavar="N[/V4[/V6]]",
    type=djb_click.Numbers("N[/V4[/V6]]", "/", limits.NETWORK),
    help="Connections at once of one network, by prefix length (/24/64).",
)
@click.option(
    "--rate", metavar="N[/SECONDS]", type=djb_click.Numbers("N[/SECONDS]", "/", (60,)), help="Arrivals of one client."
)
@click.option(
    "--fleet",
    metavar="URL",
    callback=fleet.checked,
    help="Hold --rate, -C, --per-network and logins over all hosts that share this store, as in redis://HOST/0.",
)
@click.option("--reserve", metavar="N", type=djb_click.Number(), default=0, help="Of -c, for clients with RELAYCLIENT.")
@click.option(
    "--held",
    "held_limit",
    metavar="N",
    type=djb_click.Number(1),
    default=2000,
    help="Clients without a program, refused ones above all (2000); then the oldest is left.",
)
@click.option("--shed", "overload_text", metavar="TEXT", help="When all slots are taken, say TEXT instead of nothing.")
@click.option(
    "--tls",
    metavar=tls.FORM,
    multiple=True,
    help="Speak TLS from the first byte, with CERT for clients that ask for NAME.",
)
@click.option("--ucspi-tls", "tls_on_request", is_flag=True, help="With --tls: only when PROGRAM asks for it.")
@click.option(
    "--proxy-from",
    "proxies",
    metavar="NETWORK,...",
    help="Clients come by proxies in NETWORK alone, which say whose address it is (PROXY protocol, 1 and 2); no ident.",
)
@supervision.options
@click.option(
    "--log",
    "log_form",
    type=click.Choice(("djb", "logfmt", "json")),
    default="djb",
    help="The log as C has it (djb), or one line an event for programs that read it.",
)
@click.option("--relay-key", metavar="FILE", help="Give each client a $RELAYTICKET for pyrelay, by the key in FILE.")
@click.option("--check", is_flag=True, help="Say what keeps it from starting and from its work, as -u, and end.")
@click.option("-1", "print_port", is_flag=True, help="Print the local port once listening.")
@_flag("h", "H", "remote_host", "Look up the client's name or not.", default=True)
@_flag("p", "P", "paranoid", "Believe the client's name only if it leads back or not.", default=False)
@_flag("r", "R", "remote_info", "Ask the client's ident server or not.", default=True)
@_flag("O", "o", "kill_ip_options", "Forget IP options or keep them.", default=True)
@_flag("d", "D", "delay", "Leave Nagle's algorithm on or switch it off.", default=True)
@_loudness("q", log.QUIET, "Say nothing.")
@_loudness("Q", log.ERRORS, "Say errors (the default).")
@_loudness("v", log.VERBOSE, "Say everything.")
@click.argument("host")
@click.argument("port")
@click.argument("words", metavar="PROGRAM", nargs=-1, required=True, type=click.UNPROCESSED)
def tcpserver(**_options: object) -> None:
    """Accept connections to HOST and PORT and run PROGRAM for each, with the client as its input and output.

    HOST 0 is every IPv4 address, :: every address, - that of a socket that systemd passes. PROGRAM may begin with
    pyrelay check, pyrblsmtpd, pygreylist or pysmtpgate and their options; that part is then done without a process.

    Example: pytcpserver -v -R -l 0 -x /etc/tcp.smtp.cdb -u qmaild -g nofiles 0 smtp qmail-smtpd
    """


def settings(options: dict[str, Any]) -> ServerSettings:
    """Make the settings of parsed options. Raises AskedWrongly, and Failure for a file that cannot be read."""
    options.pop("check")
    uid, gid = _ids(options)
    if options["reserve"] >= options["limit"]:
        raise AskedWrongly(f"--reserve must leave some of -c {options['limit']} for everybody else")
    tls_settings = tls.settings(options.pop("tls"))
    asked = program.read(options.pop("words"))
    if options["tls_on_request"] and not (tls_settings and asked.gate is None):
        raise AskedWrongly("--ucspi-tls needs --tls, and a program that speaks with clients itself")
    if tls_settings and options["banner"] and not options["tls_on_request"]:
        raise AskedWrongly("-B writes before any TLS, which is no use with --tls")
    local_name, overload_text = options.pop("local_name"), options.pop("overload_text")
    relay_key = options.pop("relay_key")
    proxies = _proxies(options.pop("proxies"))
    # A proxy's ident server knows nothing of its clients.
    options["remote_info"] = options["remote_info"] and not proxies
    verbosity = options.pop("verbosity")
    return ServerSettings(
        program=asked,
        guard=_guard(asked),
        banner=os.fsencode(options.pop("banner")),
        local_name=None if local_name is None else os.fsencode(local_name),
        verbosity=log.ERRORS if verbosity is None else verbosity,
        workers=options.pop("workers") or start.processors(),
        client_limits=_client_limits(options.pop("per_client"), options.pop("per_network"), options.pop("rate")),
        overload_message=None if overload_text is None else _line(overload_text),
        uid=uid,
        gid=gid,
        tls=tls_settings,
        relay_key=None if relay_key is None else _relay_key(relay_key),
        proxies=proxies,
        metrics=supervision.metrics(options.pop("metrics_place"), options.pop("metrics_file")),
        top=supervision.top(options.pop("top")),
        **options,
    )


def _ids(options: dict[str, Any]) -> tuple[int | None, int | None]:
    """Whom to become, user and group; None = nobody else."""
    user, group = options.pop("user"), options.pop("group")
    if options.pop("ids_from_environment"):
        user = os.environ.get("UID") if user is None else user
        group = os.environ.get("GID") if group is None else group
    uid, gid = privileges.user_id(user), privileges.group_id(group)
    if uid and gid is None and os.geteuid() == 0:
        raise AskedWrongly("-u as root needs -g: without it root's groups are kept")
    return uid, gid


def _proxies(text: str | None) -> tuple[Network, ...]:
    if text is None:
        return ()
    from ..core.service.proxies import networks

    return networks(text)


def _relay_key(path: str) -> bytes:
    from ..system.recorder import tickets  # while we may still read what workers need
    from ..system.supervisor import handover

    handed = handover.taken()
    return handed.relay_key if handed and handed.relay_key else tickets.read_key(path)


def _guard(asked: Program) -> GuardSettings | None:
    """What a gate's logins have done with the privileges that we give up; few have any."""
    if asked.gate is None or asked.gate.logins is None:
        return None
    from ..core.gate.logins.guarded import guard_settings

    return guard_settings(asked.gate.logins)


def _client_limits(
    per_client: str | None, per_network: tuple[int, ...] | None, rate: tuple[int, ...] | None
) -> limits.ClientLimits:
    """Merge the limits of the environment, named as in the limits patch, with those of the options, which win."""
    asked: dict[str, Any] = {}
    if per_client is not None:
        number, colon, text = per_client.partition(":")
        most = decimal(number)
        if most is None:
            raise AskedWrongly(f"-C must be N[:TEXT], N a number up to {MOST}, not '{per_client}'")
        asked |= {"per_client": most or None} | ({"message": _line(text), "client_message": None} if colon else {})
    if per_network is not None:
        most, ipv4, ipv6 = per_network
        asked |= {"per_network": most or None, "network": limits.Prefixes(ipv4, ipv6)}
        if ipv4 > 32 or ipv6 > 64:
            raise AskedWrongly("--per-network takes prefixes up to /32 and /64")
    if rate is not None:
        most, period = rate
        asked |= {"arrivals": most or None, "period": period}
        if not period:
            raise AskedWrongly("--rate takes a period of 1 second or more")
    return replace(limits.with_variables(limits.ClientLimits(), os.environb.items()), **asked)


def _line(text: str) -> bytes:
    """Make a reply for clients: a line of SMTP; empty = none."""
    return os.fsencode(text) + b"\r\n" if text else b""
