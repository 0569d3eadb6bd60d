"""The words of a command line as Getopt::Long reads them for postgrey (posix_default, no_ignore_case) -> click's.

A name stands behind one dash or two, is whole, and never has another one or its value behind it without a divider. So
``-unix=/x`` is an unknown option, as there, and no ``-u nix=/x``.
"""

from collections.abc import Iterator, Sequence

import click

from .. import djb_click


class GetoptLongCommand(djb_click.OrderedCommand):
    """A command whose options are written so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse them. Raises NoSuchOption and BadOptionUsage, with the message of Getopt::Long."""
        options = {
            name.lstrip("-"): one for one in self.get_params(ctx) if isinstance(one, click.Option) for name in one.opts
        }
        return super().parse_args(ctx, list(_translated(args, options)))


def _translated(args: Sequence[str], options: dict[str, click.Option]) -> Iterator[str]:
    """options: by their names."""
    words = list(reversed(args))
    while words and words[-1].startswith("-") and words[-1] not in ("-", "--"):
        name, equals, value = _parted(words.pop())
        option = options.get(name)
        if option is None:
            raise click.NoSuchOption(name)
        if option.is_flag:
            if equals:
                raise click.BadOptionUsage(name, f"Option {name} does not take an argument")
            yield option.opts[-1]
        elif equals:
            yield from _valued(option, value)
        elif _may_be_alone(option) and (not words or words[-1].startswith("-")):
            yield option.opts[-1]
        elif words:
            yield from _valued(option, words.pop())
        else:
            raise click.BadOptionUsage(name, f"Option {name} requires an argument")
    yield from reversed(words)


def _parted(word: str) -> tuple[str, str, str]:
    """A name, and the value behind an =; behind one dash that is of the name."""
    return word[2:].partition("=") if word.startswith("--") else (word[1:], "", "")


def _may_be_alone(option: click.Option) -> bool:
    """Whether its value may be left out. Before click 8.2 every other option has a bool there."""
    return isinstance(option.flag_value, int) and not isinstance(option.flag_value, bool)


def _valued(option: click.Option, value: str) -> tuple[str, ...]:
    name = option.opts[-1]
    return (f"{name}={value}",) if name.startswith("--") else (name, value)
