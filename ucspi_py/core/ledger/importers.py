"""Grants of other programs: vpopmail's open-smtp, and the files of relay-ctrl. Never reads a file."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..text import shown
from .address import Address, address

#: vpopmail.c: ``IP:allow,RELAYCLIENT="",RBLSMTPD=""``, a tab, and the second of the login since 1970.
_OPEN_SMTP = re.compile(rb'(?P<ip>[0-9a-fA-F:.]+):allow,RELAYCLIENT="(?P<value>[^"]*)"[^\t]*\t(?P<login>[0-9]{1,12})')


class Known(NamedTuple):
    """A grant that another program has given. login: seconds since 1970. user: b"" = that program does not say."""

    ip: Address
    login: int
    user: bytes = b""
    relayclient: bytes = b""


class Unread(NamedTuple):
    """A piece that is no grant. where: its line or file. what: it stands there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is no grant"


class File(NamedTuple):
    """A file of relay-ctrl's directory, named by the address. changed: seconds since 1970, the login."""

    name: bytes
    changed: int
    content: bytes


def open_smtp(content: bytes) -> tuple[list[Known], list[Unread]]:
    """Read the file open-smtp of vpopmail: what it grants, and what in it is no grant."""
    known, unread = [], []
    for number, line in enumerate(content.split(b"\n"), 1):
        found = _OPEN_SMTP.fullmatch(line)
        ip = _address(found["ip"]) if found else None
        if found and ip:
            known.append(Known(ip, int(found["login"]), relayclient=found["value"]))
        elif line:
            unread.append(Unread(f"line {number}", shown(line[:80])))
    return known, unread


def relay_ctrl(files: Iterable[File]) -> tuple[list[Known], list[Unread]]:
    """Read the files of relay-ctrl-allow, each NAME=VALUE and NUL: what they grant, and which of them are no grant.

    Of the variables USER and DOMAIN count, and no other: relay-ctrl-check takes all, LD_PRELOAD too.
    """
    known, unread = [], []
    for file in files:
        ip = _address(file.name)
        if ip:
            known.append(Known(ip, file.changed, _user(file.content)))
        else:
            unread.append(Unread("directory", shown(file.name[:80])))
    return known, unread


def _address(text: bytes) -> Address | None:
    try:
        return address(text)
    except ValueError:
        return None


def _user(content: bytes) -> bytes:
    variables = dict(one.split(b"=", 1) for one in content.split(b"\0") if b"=" in one)
    user, domain = variables.get(b"USER", b""), variables.get(b"DOMAIN", b"")
    return user + b"@" + domain if user and domain and b"@" not in user else user
