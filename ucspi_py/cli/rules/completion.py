"""Completion of file names in a shell: click completes no plain argument, and bash then completes nothing."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    _StrType = click.ParamType[str]
else:  # before click 8.4 it takes no parameters
    _StrType = click.ParamType


class FileName(_StrType):
    """Any text, completed as the name of a file."""

    name = "file"

    def shell_complete(self, _ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


def complete_files(group: click.Group) -> None:
    """Have a shell complete the names of files wherever a command of the group takes a plain argument."""
    for command in group.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and parameter.type is click.STRING:
                parameter.type = FileName()
