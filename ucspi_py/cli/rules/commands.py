"""pyrules: look at rules before and after they are compiled."""

import click

from ...core.lint.lint import lint
from ...core.rules.diff import Change, changes
from ...core.rules.dump import dump, rule_text
from ...core.text import shown
from ...system.rules import source_input as rules_input
from ...system.rules.table import Table
from .. import djb_click, tables
from . import clients as rules_clients
from . import completion
from . import imports as rules_import


@click.group("pyrules", no_args_is_help=False, context_settings=djb_click.GROUP_SETTINGS)
@djb_click.version_option
def pyrules() -> None:
    """Look at rules before and after they are compiled.

    A FILE is source as pytcprules reads it, a CDB what it compiled. Exit codes: 0 for nothing to tell, 1 where
    something was found, 100 for a wrong command line, 111 where a file cannot be read.

    \b
    Completion of commands and options in bash:
      eval "$(_PYRULES_COMPLETE=bash_source pyrules)"
    """


@pyrules.command("lint")
@tables.json_option
@click.argument("file")
@click.pass_context
def lint_file(ctx: click.Context, file: str, *, as_json: bool) -> None:
    """Name each line of FILE that cannot bite.

    Lines that the compiler refuses are errors, all of them and not only the first. Lines that it compiles and that
    never match a client, that other rules leave nothing to decide, or that let the wrong clients relay, are warnings.
    With each stands the line that was most likely meant. FILE may be - for standard input.

    \b
    Example:
      $ pyrules lint tcp.smtp
      line  column           what
      3     1       warning  10.0 has no dot at its end, so it never matches
                             likely meant: 10.0.:deny
    """
    findings = lint(rules_input.file(file))
    if as_json:
        tables.as_json([{**found._asdict(), "meant": list(found.meant)} for found in findings])
    else:
        rows = []
        for found in findings:
            kind = "error" if found.error else "warning"
            rows.append((str(found.line), str(found.column), kind, found.sentence))
            rows.extend(("", "", "", f"likely meant: {meant}") for meant in found.meant)
        tables.table(("line", "column", "", "what"), rows)
    ctx.exit(1 if findings else 0)


@pyrules.command("dump")
@click.argument("cdb")
@click.pass_context
def dump_file(ctx: click.Context, cdb: str) -> None:
    """Print the source that compiles to CDB.

    One line for each record, in the order of the file; ranges and IPv4 networks have become the keys that they stand
    for. A record that no source compiles to, as other programs may write them, is named on standard error. Where
    rules carry their origin, it stands above them as a comment.

    \b
    Example:
      $ pyrules dump tcp.smtp.cdb
      127.0.0.1:allow,RELAYCLIENT=""
      10.:deny
    """
    unsaid = []
    for line in dump(Table(cdb).records()):
        if line.text is None:
            key, value = map(shown, line.record)
            unsaid.append(f"pyrules: warning: no source compiles to the key {key!r} with the value {value!r}")
        elif line.source is not None:
            tables.source(b"# " + line.source, line.text)
        else:
            tables.source(line.text)
    tables.flush()
    djb_click.complain(*unsaid)
    ctx.exit(1 if unsaid else 0)


@pyrules.command("diff")
@tables.json_option
@click.argument("old")
@click.argument("new")
@click.pass_context
def diff_files(ctx: click.Context, old: str, new: str, *, as_json: bool) -> None:
    """Print the rules that differ between two CDBs.

    What counts is what decides: a rule that only moved, or that another one with the same address leaves without
    effect, is no difference. Lines with - are of OLD, lines with + of NEW.

    \b
    Example:
      $ pyrules diff tcp.smtp.cdb tcp.smtp.new.cdb
      - 10.:deny
      + 10.:allow
      + 192.168.1.:allow,RELAYCLIENT=""
    """
    changed = list(changes(Table(old), Table(new)))
    if as_json:
        tables.as_json([{"old": _side(change, change.old), "new": _side(change, change.new)} for change in changed])
    else:
        for change in changed:
            for sign, value, colour in (("-", change.old, "red"), ("+", change.new, "green")):
                if value is not None:
                    click.echo(click.style(f"{sign} {rule_text(change.key, value)}", fg=colour))
    ctx.exit(1 if changed else 0)


def main() -> None:
    """Run pyrules."""
    usage = "pyrules command [ option ... ] [ file ... ]; pyrules --help names the commands"
    djb_click.run("pyrules", usage, lambda args: djb_click.invoke(pyrules, "pyrules", args))


def _side(change: Change, value: bytes | None) -> str | None:
    return None if value is None else rule_text(change.key, value)


for _command in (*rules_clients.COMMANDS, *rules_import.COMMANDS):
    pyrules.add_command(_command)
completion.complete_files(pyrules)
