"""What options pypostgrey has. Never says what they mean for its settings."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import djb_click
from ..chain.size_option import size_option
from ..chain.store_option import checked

_Command = TypeVar("_Command", bound=Callable[..., Any])

_LISTENING = (
    click.option("-u", "--unix", metavar="PATH", help="Listen on unix socket PATH."),
    click.option("--socketmode", metavar="MODE", default="0666", help="Unix socket permission (0666)."),
    click.option("-i", "--inet", metavar="[HOST:]PORT", help="Listen on PORT, of localhost unless HOST is named."),
    click.option(
        "--listen-queue-size", "backlog", metavar="N", type=djb_click.Number(), default=0, help="Waiting connections."
    ),
    click.option("--exim", is_flag=True, help="Answer one request for each connection."),
    click.option(
        "--processes", metavar="N", type=djb_click.Number(1), default=2, help="How many processes answer (2)."
    ),
)
_RUNNING = (
    click.option("-d", "--daemonize", is_flag=True, help="Run in the background, and log to syslog."),
    click.option("--pidfile", metavar="PATH", help="Put the process id into this file; with -d."),
    click.option("--user", metavar="USER", help="Run as USER (postgrey)."),
    click.option("--group", metavar="GROUP", help="Run as group GROUP (postgrey)."),
    click.option("-v", "--verbose", is_flag=True, help="Log what each zone says."),
    click.option("-q", "--quiet", is_flag=True, help="Log no actions."),
    click.option(
        "--syslog-facility",
        "--syslogfacility",
        "--facility",
        "facility",
        metavar="NAME",
        default="mail",
        help="Syslog facility to use (mail).",
    ),
    click.option("-n", "--noaction", "--no-action", "noaction", is_flag=True, hidden=True),
)
_KEEPING = (
    click.option("--dbdir", metavar="PATH", default="/var/lib/postgrey", help="Folder of the store."),
    click.option(
        "-s", "--store", metavar="STORE", callback=checked, help="SQLite file, or redis://HOST/0, instead of --dbdir."
    ),
    size_option,
    click.option("--privacy", is_flag=True, help="Changes nothing: only hashes are ever kept."),
    click.option(
        "--import", "source", metavar="FILE", help="Take over what db5.3_dump -p prints of postgrey's files, and end."
    ),
)
_GREYLISTING = (
    click.option("--delay", metavar="N", type=djb_click.Number(), default=0, help="Greylist for N seconds (300)."),
    click.option("--max-age", metavar="N", type=djb_click.Number(), default=0, help="Forget after N days (35)."),
    click.option("--retry-window", metavar="N", default="2", help="Days for the first retry, or hours: Nh (2)."),
    click.option("--greylist-action", "action", metavar="A", help="What Postfix is told (DEFER_IF_PERMIT)."),
    click.option("--greylist-text", "text", metavar="TXT", help="For the client; %s = seconds left, %r = its domain."),
    click.option("--lookup-by-subnet", is_flag=True, help="Clients of a network are one; the default."),
    click.option("--lookup-by-host", "by_host", is_flag=True, help="Each address is a client of its own."),
    click.option("--ipv4cidr", metavar="N", type=djb_click.Number(), default=0, help="Prefix of a network (24)."),
    click.option("--ipv6cidr", metavar="N", type=djb_click.Number(), default=0, help="Prefix of a network (64)."),
    click.option("--hostname", metavar="NAME", help="For the header; that of this host."),
    click.option("--whitelist-clients", metavar="FILE", multiple=True, help="Instead of /etc/postgrey/..."),
    click.option("--whitelist-recipients", metavar="FILE", multiple=True, help="Instead of /etc/postgrey/..."),
    click.option(
        "--auto-whitelist-clients",
        metavar="N",
        type=djb_click.Number(),
        is_flag=False,
        flag_value=5,
        default=5,
        help="Passes after which a client need not wait (5); 0: it always must.",
    ),
    click.option("--x-greylist-header", "header", metavar="TXT", help="%t = seconds, %v %h %d = version, host, date."),
)
_ZONES = (
    click.option("-r", "list_zone", metavar="ZONE", multiple=True, help="Refuse clients that this zone lists."),
    click.option("-a", "allow_zone", metavar="ZONE", multiple=True, help="Clients that this zone lists need not wait."),
    click.option("-b", "bounce", is_flag=True, help="Zones after this: refuse for good (553)."),
    click.option("-B", "no_bounce", is_flag=True, help="Zones after this: refuse for now (451, the default)."),
    click.option("-c", "fail_closed", is_flag=True, help="Zones after this: a failed look-up refuses for now."),
    click.option("-C", "fail_open", is_flag=True, help="Zones after this: a failed look-up lets in (the default)."),
    click.option("-T", "scores", metavar="N[/M]", help="Add up weights; refuse from N on for now, from M on for good."),
    click.option("-p", "ask_private", is_flag=True, help="Ask about private addresses too."),
    click.option("--dry-run", is_flag=True, help="Zones refuse nobody; log who would be refused."),
)


def declared(command: _Command) -> _Command:
    """Add all of them."""
    for option in reversed((*_LISTENING, *_RUNNING, *_KEEPING, *_GREYLISTING, *_ZONES)):
        command = option(command)
    return command
