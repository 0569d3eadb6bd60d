"""pytcprulescheck: look the client in the environment up in the rules."""

import os

import click

from ..core.errors import CorruptRules
from ..core.rules import data as rules_data
from ..core.rules.match import Match, match
from ..system.rules.live import RulesFile, unreadable
from . import djb_click


@click.command("pytcprulescheck", context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.argument("cdb")
@click.argument("ignored", nargs=-1, expose_value=False)
def check(cdb: str) -> None:
    """Say which rule of CDB decides about the client $TCPREMOTEIP, and what it says.

    $TCPREMOTEHOST and $TCPREMOTEINFO are the client's name and ident answer; leave them unset where unknown.

    Example: TCPREMOTEIP=192.168.1.7 pytcprulescheck /etc/tcp.smtp.cdb
    """
    rules = RulesFile(cdb)
    variable = os.environb.get
    ip = _canonical(variable(b"TCPREMOTEIP", b"0.0.0.0"))
    try:
        decided = match(rules.current(), ip, variable(b"TCPREMOTEHOST"), variable(b"TCPREMOTEINFO"))
        djb_click.tell(1, told(decided))
    except CorruptRules as corrupt:
        raise unreadable(cdb, corrupt) from None


def told(decided: Match | None) -> bytes:
    """Format the rule that decided (tcprulescheck.c, found): its variables up to a deny, and the verdict."""
    if decided is None:
        return b"default:\nallow connection\n"
    lines = b"rule " + _rule_name(decided.key) + b":\n"
    for item in rules_data.items(decided.value):
        if item.startswith(b"D"):
            return lines + b"deny connection\n"
        if item.startswith(b"+"):
            lines += b"set environment variable " + item[1:] + b"\n"
    return lines + b"allow connection\n"


def main() -> None:
    """Run pytcprulescheck."""
    djb_click.run(
        "tcprulescheck", "tcprulescheck rules.cdb", lambda args: djb_click.invoke(check, "pytcprulescheck", args)
    )


def _canonical(ip: bytes) -> bytes:
    """The form in which tcpserver looks an IPv6 address up; anything else as it is."""
    if b":" not in ip:
        return ip
    from ..core import address  # only where it is needed: it takes longer than the look-up

    try:
        return address.canonical(os.fsdecode(ip))
    except ValueError:
        return ip


def _rule_name(key: bytes) -> bytes:
    """A key as it was written: that of an IPv6 network, which C does not know, is none to read."""
    if not key.startswith(b":"):
        return key
    from ..core.rules import ipv6 as rules_ipv6

    network = rules_ipv6.from_key(key)
    return rules_ipv6.text(network) if network else key
