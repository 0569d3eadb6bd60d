"""pyrules import-...: access lists of other programs as rules source."""

import click

from ...core.errors import AskedWrongly, UnparsableLine
from ...core.importers.imported import Imported
from ...core.rules.source import line_records
from ...system.rules import directory as rules_directory
from ...system.rules import source_input as rules_input
from .. import djb_click, tables

_DAEMONS = ("smtp", "smtpd", "qmail-smtpd", "tcp-env", "tcpserver")
_SAY = click.option("--say", metavar="WORDS", default="deny", help="What the rules say, deny unless told: allow, ...")


@click.command("import-hosts")
@click.option("--daemon", "daemons", metavar="NAME", multiple=True, help="Whose lines count, instead of smtpd's.")
@click.argument("allow")
@click.argument("deny", required=False)
@click.pass_context
def import_hosts(ctx: click.Context, allow: str, deny: str | None, daemons: tuple[str, ...]) -> None:
    """Turn hosts.allow and hosts.deny into rules.

    ALLOW and DENY are the two files of TCP wrappers. Lines about smtp, smtpd, qmail-smtpd, tcp-env, tcpserver and ALL
    count, or those about the programs named with --daemon. The first line that matches decides there, and so the
    rules are put together that they do the same, with EXCEPT, setenv, allow and deny. The source is printed, and what
    rules cannot say is named on standard error; then the exit code is 1.

    \b
    Example:
      $ pyrules import-hosts /etc/hosts.allow /etc/hosts.deny > tcp.smtp
    """
    from ...core.importers.hosts import access as hosts_access

    names = frozenset(name.lower() for name in daemons or _DAEMONS)
    _finish(ctx, hosts_access.import_hosts(_text(allow), _text(deny) if deny else "", names))


@click.command("import-mynetworks")
@click.argument("file")
@click.pass_context
def import_mynetworks(ctx: click.Context, file: str) -> None:
    """Turn Postfix's mynetworks into rules with RELAYCLIENT.

    FILE is main.cf, or holds only the value of mynetworks; - is standard input. Networks with ! in front may connect
    and not relay. Tables, files and $names inside the value are not read, but named on standard error; where they may
    except somebody, nobody may relay whom the words behind them are about.

    \b
    Example:
      $ postconf -hx mynetworks | pyrules import-mynetworks - >> tcp.smtp
    """
    from ...core.importers.postfix import mynetworks as postfix_mynetworks

    _finish(ctx, postfix_mynetworks.import_mynetworks(_text(file)))


@click.command("import-cidr")
@click.argument("file")
@click.pass_context
def import_cidr(ctx: click.Context, file: str) -> None:
    """Turn a cidr: access table of Postfix into rules.

    The first pattern that matches decides there, also with ! and if; the rules do the same. OK, DUNNO and the like
    become allow, REJECT, DEFER and codes become deny. Other actions, as DISCARD, HOLD or a restriction class, deny.
    They and the texts that tcpserver never sends are named on standard error; then the exit code is 1.

    \b
    Example:
      $ pyrules import-cidr /etc/postfix/client_access.cidr > tcp.smtp
    """
    from ...core.importers.postfix import cidr as postfix_cidr

    _finish(ctx, postfix_cidr.import_cidr(_text(file)))


@click.command("import-access")
@click.argument("file")
@click.pass_context
def import_access(ctx: click.Context, file: str) -> None:
    """Turn a hash: access table of Postfix into rules.

    FILE is the source that postmap reads, of a table for check_client_access. Actions are taken as import-cidr takes
    them. Names decide before addresses there: an address whose name may be refused is denied, and named on standard
    error, as are patterns about senders and recipients. Names need tcpserver -p.

    \b
    Example:
      $ pyrules import-access /etc/postfix/access > tcp.smtp
    """
    from ...core.importers.postfix import access as postfix_access

    _finish(ctx, postfix_access.import_access(_text(file)))


@click.command("import-ipsvd")
@click.argument("directory")
@click.pass_context
def import_ipsvd(ctx: click.Context, directory: str) -> None:
    """Turn an instructions directory of ipsvd into rules.

    Files that nobody may read deny, +VAR=VALUE sets a variable, C30:TEXT becomes MAXCONNIP and DIEMSG. Programs and
    looked-up hosts cannot be said: such a rule denies and is named on standard error.

    \b
    Example:
      $ pyrules import-ipsvd /etc/smtpd/instructions > tcp.smtp
    """
    from ...core.importers import ipsvd

    _finish(ctx, ipsvd.import_ipsvd(rules_directory.files(directory)))


@click.command("import-s6")
@click.argument("directory")
@click.pass_context
def import_s6(ctx: click.Context, directory: str) -> None:
    """Turn rules of s6-tcpserver-access into rules.

    DIRECTORY is one that s6-tcpserver-access -i reads: its rules below ip4, ip6 and reversedns, with the variables in
    their env directories. The last rule denies: s6 lets nobody in whom no rule is about. What runs a program of its
    own denies and is named on standard error.

    \b
    Example:
      $ pyrules import-s6 /etc/s6/smtpd/rules > tcp.smtp
    """
    from ...core.importers import s6

    _finish(ctx, s6.import_s6(rules_directory.files(directory)))


@click.command("import-spamdyke")
@_SAY
@click.argument("file")
@click.pass_context
def import_spamdyke(ctx: click.Context, file: str, say: str) -> None:
    """Turn an IP file of spamdyke into rules.

    Addresses, beginnings of addresses, ranges in any octets, networks and =names, each with the same words behind: deny
    for a blacklist, allow for a whitelist, or with --say what you like. An entry that is not what it seems, as 5-3., is
    named on standard error; it denies whom spamdyke takes it for, and allows nobody.

    \b
    Example:
      $ pyrules import-spamdyke --say 'allow,RELAYCLIENT=""' /etc/spamdyke/relay-ips >> tcp.smtp
    """
    from ...core.importers import address_list

    _finish(ctx, address_list.import_spamdyke(_text(file), _words(say)))


@click.command("import-list")
@_SAY
@click.argument("file")
@click.pass_context
def import_list(ctx: click.Context, file: str, say: str) -> None:
    """Turn a list of networks into rules.

    One network, address or range 1.2.3.0-1.2.3.255 a line, of IPv4 or IPv6; # and ; begin comments. Each rule says
    deny, or what stands behind --say. A network with bits beyond its prefix, as 10.0.0.5/8, is named on standard error
    and only denied whole.

    \b
    Example:
      $ pyrules import-list drop.txt >> tcp.smtp
    """
    from ...core.importers import address_list

    _finish(ctx, address_list.import_networks(_text(file), _words(say)))


COMMANDS: tuple[click.Command, ...] = (
    import_hosts,
    import_mynetworks,
    import_cidr,
    import_access,
    import_ipsvd,
    import_s6,
    import_spamdyke,
    import_list,
)


def _text(path: str) -> str:
    return rules_input.file(path).decode("utf-8", "surrogateescape")


def _words(say: str) -> bytes:
    """Check the instructions of --say. Raises AskedWrongly where they are not in the language."""
    said = say.encode("utf-8", "surrogateescape")
    try:
        line_records(b":" + said)
    except UnparsableLine:
        raise AskedWrongly(f"--say {say} is nothing that a rule can say") from None
    return said


def _finish(ctx: click.Context, found: Imported) -> None:
    tables.source(*found.lines)
    tables.flush()
    djb_click.complain(*(f"pyrules: not said: {one}" for one in found.unsaid))
    ctx.exit(1 if found.unsaid else 0)
