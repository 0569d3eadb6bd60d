"""pytcprules: rules source on standard input -> a cdb, renamed into place, and a warning about each bad line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import click

from ..core.errors import TooManyWarnings, UnparsableLine
from ..core.lint.finding import Finding
from ..core.lint.lint import lint
from ..core.rules.source import Record, compiled
from ..system.rules import source_input as rules_input
from ..system.rules.write import write
from . import djb_click

#: Bytes of source from which linting is worth a process of its own, beside compiling.
_LARGE = 1 << 18


@click.command(context_settings=djb_click.CONTEXT_SETTINGS)
@djb_click.version_option
@click.argument("cdb", required=False)
@click.argument("tmp", required=False)
@click.argument("ignored", nargs=-1, expose_value=False)
@click.option("-q", "quiet", is_flag=True, help="Say nothing about lines that can be compiled.")
@click.option("--strict", is_flag=True, help="Compile nothing where there is anything to say about a line: exit 100.")
@click.option("--check", is_flag=True, help="Compile nothing at all; CDB and TMP are not needed.")
@click.option("--provenance", is_flag=True, help="Store with each rule the file and the line that it comes from.")
def compile_rules(cdb: str | None, tmp: str | None, *, check: bool, **spawn_attributes: bool) -> None:
    """Compile the rules on standard input into CDB, by way of TMP in the same filesystem.

    A server that uses CDB sees the old rules or the new ones, never a mixture, and needs no restart. Rules that
    cannot be parsed leave CDB as it was. Lines that are compiled and can never match, or that let the wrong clients
    relay, are named on standard error, with the line that was most likely meant.

    Example: pytcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp < /etc/tcp.smtp
    """
    source = _Source(**spawn_attributes)
    if check:
        for _ in source.records():
            pass
    elif cdb is None or tmp is None:
        raise click.MissingParameter(param_type="argument")
    else:
        write(cdb, tmp, source.records())
    djb_click.complain(*(f"tcprules: {line}" for line in source.warnings))


def main() -> None:
    """Run pytcprules."""
    djb_click.run(
        "tcprules", "tcprules rules.cdb rules.tmp", lambda args: djb_click.invoke(compile_rules, "pytcprules", args)
    )


@dataclass
class _Source:
    """The rules on standard input. warnings: those of lint, known once the records are read."""

    quiet: bool
    strict: bool
    provenance: bool
    warnings: tuple[str, ...] = field(default=(), init=False)

    def records(self) -> Iterator[Record]:
        """Yield the records. Raises UnparsableLine with its cause below, or TooManyWarnings."""
        text = rules_input.standard_input()
        name = rules_input.name_of_standard_input() if self.provenance else None
        looked = _looked_at(text) if self.strict or not self.quiet else list
        try:
            yield from compiled(text, name)
        except UnparsableLine as refused:
            findings = looked() or lint(text)
            cause = [str(finding) for finding in findings if finding.error][:1]
            raise UnparsableLine(refused.sentence, (*cause, *self._told(findings))) from None
        findings = looked()
        if self.strict and findings:
            raise TooManyWarnings(_refusal(len(findings)), self._told(findings))
        self.warnings = self._told(findings)

    def _told(self, findings: list[Finding]) -> tuple[str, ...]:
        return () if self.quiet else tuple(f"warning: {finding}" for finding in findings if not finding.error)


def _looked_at(text: bytes) -> Callable[[], list[Finding]]:
    """Lint a source, when the result is called for. A large one is linted while its table is written."""
    if len(text) < _LARGE:
        return partial(lint, text)
    from ..system.rules.background import Background

    return Background(partial(lint, text)).result


def _refusal(count: int) -> str:
    return f"{count} warning{'s' if count > 1 else ''}, and --strict takes none"
