"""pytcprulescheck: what would the rules say of the client in the environment?"""

import os
import sys

import click

from ..core import rules_data
from ..core.errors import CorruptRules
from ..core.rules_match import Match, match
from ..system.rules_file import RulesFile, unreadable
from . import manners


@click.command("pytcprulescheck", context_settings=manners.CONTEXT_SETTINGS)
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
        sys.stdout.buffer.write(_told(decided))
    except CorruptRules as corrupt:
        raise unreadable(cdb, corrupt) from None


def main() -> None:
    """The program."""
    manners.run("tcprulescheck", "tcprulescheck rules.cdb", lambda args: manners.invoke(check, args))


def _canonical(ip: bytes) -> bytes:
    """The form in which tcpserver looks an IPv6 address up; anything else as it is."""
    if b":" not in ip:
        return ip
    from ..core import address  # only where it is needed: it takes longer than the look-up

    try:
        return address.canonical(os.fsdecode(ip))
    except ValueError:
        return ip


def _told(decided: Match | None) -> bytes:
    """tcprulescheck.c, found: the rule, its variables up to a deny, the verdict."""
    if decided is None:
        return b"default:\nallow connection\n"
    told = b"rule " + decided.key + b":\n"
    for item in rules_data.items(decided.value):
        if item.startswith(b"D"):
            return told + b"deny connection\n"
        if item.startswith(b"+"):
            told += b"set environment variable " + item[1:] + b"\n"
    return told + b"allow connection\n"
