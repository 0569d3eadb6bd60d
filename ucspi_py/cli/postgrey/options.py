"""The options of pypostgrey, which are postgrey's and some of ours -> its settings."""

import os
import socket
from typing import Any

import click

from ... import __version__
from ...core.client.limits import Prefixes
from ...core.dnsbl.settings import DnsblSettings
from ...core.errors import AskedWrongly
from ...core.greylist.triplet.settings import HEADER, TripletSettings
from ...core.numbers import decimal
from ...core.postgrey.settings import ACTION, TEXT, Answering, Daemon, Inet, Places, PostgreySettings
from ...system.process import privileges
from ...system.report.syslog import FACILITIES
from .. import djb_click
from .declared import declared
from .getopt_long import GetoptLongCommand

_DAY, _HOUR = 86400, 3600
_LISTS = "/etc/postgrey/whitelist_"
_FILE = "pypostgrey.db"


@click.command(
    cls=GetoptLongCommand,
    context_settings=djb_click.CONTEXT_SETTINGS | {"help_option_names": ["--help", "-h", "--man"]},
)
@djb_click.version_option
@declared
def pypostgrey(**_options: object) -> None:
    """Greylist for Postfix or Exim: a policy server with postgrey's options.

    Each number that is 0 is the default, as in postgrey, but for --auto-whitelist-clients and --retry-window.

    Example: pypostgrey --unix=/var/spool/postfix/postgrey/socket --delay=60
    """


def settings(ctx: click.Context) -> PostgreySettings:
    """Make the settings of parsed options. Raises AskedWrongly."""
    params = ctx.params
    if params["noaction"]:
        raise AskedWrongly('don\'t know how to "no-action".')
    uid, gid = ids(params["user"], params["group"])
    return PostgreySettings(
        answering=Answering(
            triplets=triplets(params),
            action=_bytes(params["action"] or "") or ACTION,
            host=_bytes(params["hostname"] or socket.gethostname()),
            version=__version__.encode(),
            zones=_zones(ctx),
            closes=params["exim"],
        ),
        places=_places(params),
        processes=params["processes"],
        uid=uid,
        gid=gid,
        daemon=_daemon(params),
    )


def triplets(params: dict[str, Any]) -> TripletSettings:
    """Make the settings of the greylist. Raises AskedWrongly."""
    delay, retry_window = params["delay"] or 300, _retry_window(params["retry_window"])
    if retry_window <= delay:
        raise AskedWrongly("--retry-window must be longer than --delay, or nobody would ever be let in")
    ipv4, ipv6 = params["ipv4cidr"] or 24, params["ipv6cidr"] or 64
    if ipv4 > 32 or ipv6 > 128:
        raise AskedWrongly("--ipv4cidr takes 1 to 32, --ipv6cidr 1 to 128")
    return TripletSettings(
        store=params["store"] or os.path.join(params["dbdir"], _FILE),
        delay=delay,
        retry_window=retry_window,
        max_age=(params["max_age"] or 35) * _DAY,
        network=Prefixes(32, 128) if params["by_host"] else Prefixes(ipv4, ipv6),
        auto_whitelist_clients=params["auto_whitelist_clients"],
        counts_networks=False,
        spares=False,
        whitelist_clients=params["whitelist_clients"] or _lists("clients"),
        whitelist_recipients=params["whitelist_recipients"] or _lists("recipients"),
        max_size=params["max_size"],
        text=_bytes(params["text"] or "") or TEXT,
        header=_bytes(params["header"] or "") or HEADER,
    )


def _lists(kind: str) -> tuple[str, ...]:
    return f"{_LISTS}{kind}", f"{_LISTS}{kind}.local"


def _retry_window(word: str) -> int:
    hours = word[-1:] in ("h", "H")
    number = decimal(word[:-1] if hours else word)
    if number is None:
        raise AskedWrongly(
            "--retry-window must be either a number of days or a number", ("       followed by 'h' for hours.",)
        )
    return number * (_HOUR if hours else _DAY)


def _places(params: dict[str, Any]) -> Places:
    if params["unix"] is None and params["inet"] is None:
        raise AskedWrongly("--unix or --inet must be specified")
    try:
        mode = int(params["socketmode"], 8)
    except ValueError:
        raise AskedWrongly("--socketmode takes an octal number, as in 0660") from None
    return Places(params["unix"], mode & 0o777, _inet(params["inet"]), params["backlog"] or 1024)


def _inet(word: str | None) -> Inet | None:
    if word is None:
        return None
    host, colon, port = word.rpartition(":")
    return Inet(host.strip("[]") if colon else "localhost", port)


def ids(user: str | None, group: str | None) -> tuple[int | None, int | None]:
    """Whom to run as. Who is not root stays who it is, unless another one is named."""
    if os.geteuid() != 0:
        uid, gid = privileges.user_id(user), privileges.group_id(group)
        return None if uid == os.geteuid() else uid, None if gid == os.getegid() else gid
    return privileges.user_id(user or "postgrey"), privileges.group_id(group or "postgrey")


def _daemon(params: dict[str, Any]) -> Daemon | None:
    if params["facility"] not in FACILITIES:
        raise AskedWrongly(f"--syslog-facility takes one of {', '.join(FACILITIES)}")
    return Daemon(params["pidfile"], FACILITIES[params["facility"]]) if params["daemonize"] else None


def _zones(ctx: click.Context) -> DnsblSettings | None:
    """Read those of the words of pyrblsmtpd that we have; None = no zone is named. Raises AskedWrongly."""
    if not (ctx.params["list_zone"] or ctx.params["allow_zone"]):
        return None
    from ..chain import program

    return program.zone_screen([*_zone_words(ctx), "smtpd"])


def _zone_words(ctx: click.Context) -> list[str]:
    flags = {"bounce": "-b", "no_bounce": "-B", "fail_closed": "-c", "fail_open": "-C", "ask_private": "-p"}
    flags |= {"dry_run": "--dry-run", "verbose": "-v"}
    values = {"list_zone": "-r", "allow_zone": "-a"}
    words: list[str] = []
    for name, value in djb_click.written_options(ctx):
        if name in values:
            words += (values[name], value)
        elif name in flags:
            words.append(flags[name])
    return [*words, "-T", ctx.params["scores"]] if ctx.params["scores"] is not None else words


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
