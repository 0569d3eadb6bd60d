"""What becomes of settings of spamdyke: a value for each place where it is said, or the reason why it is not."""

import enum
from typing import NamedTuple

from .conf import Setting

#: Why there is nothing to be said of a list, beside its entries that are named.
NO_ENTRY = "it has no entry that can be said"


class Kind(enum.Enum):
    """Where something is said, or that it is not."""

    ENVIRONMENT = "a line of the run script before pytcpserver"
    SERVER = "words of pytcpserver"
    SCREEN = "a screen before the gate"
    RULE = "a line of the rules"
    PARAMETER = "a parameter of main.cf"
    RESTRICTION = "in smtpd_recipient_restrictions"
    PASSED = "nothing is to be said"
    UNSAID = "it restricts or lets in somebody, and cannot be said"


class Item(NamedTuple):
    """Something that is said, with the settings that it comes from.

    lines: as they stand where kind says. note: how it differs from spamdyke, or why it is not said; empty = it does
    not. remedy: of what is not said, what to do.
    """

    kind: Kind
    settings: tuple[Setting, ...]
    lines: tuple[str, ...] = ()
    note: str = ""
    remedy: str = ""


class NotSaid(NamedTuple):
    """What the gate cannot say. where: FILE:LINE. what: the line. why: the reason. remedy: what to do."""

    where: str
    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}; {self.remedy}"


def said(kind: Kind, setting: Setting, *lines: str, note: str = "") -> Item:
    """Say one setting."""
    return Item(kind, (setting,), lines, note)


def passed(setting: Setting, why: str) -> Item:
    """Note a setting that needs no word of ours."""
    return Item(Kind.PASSED, (setting,), (), why)


def unsaid(setting: Setting, why: str, remedy: str) -> Item:
    """Name a setting that cannot be said."""
    return Item(Kind.UNSAID, (setting,), (), why, remedy)


def literal(text: str) -> str:
    """Write a text as a value of main.cf, where ``$`` begins a name."""
    return text.replace("$", "$$")
