"""The ports of a service, tried, and who has them. Never keeps one."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from ....core.errors import Failure
from ....core.service.check.finding import Finding, error, warning
from ....core.service.check.port import Holder, holders
from ....core.service.passed_sockets import ANY
from ....core.service.settings import ServerSettings
from ...accept import listener
from ...process.privileges import user_name
from ...supervisor import listeners

_WHAT = "port"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LONGEST_QUEUE = "/proc/sys/net/core/somaxconn"
#: The process id of systemd, where a .socket unit has it listen.
_INIT = 1
#: Of a command line: interpreter, its options, our launcher's note, and the program.
_WORDS = 12


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Try to listen at each place, and find out who does where that cannot be done; look at sockets that are passed."""
    if not listeners.are_passed(settings):
        with contextlib.ExitStack() as kept:  # a port that is named twice cannot be had twice
            yield from [_tried(host, port, kept) for host, port in settings.places]
        yield from _cut(settings.backlog or 0)
        return
    try:
        number = len(listeners.listeners(replace(settings, backlog=None)))  # another one is nothing to try
    except Failure as failure:
        yield error(_WHAT, failure.sentence)
    else:
        yield Finding(_WHAT, f"listening sockets that are passed: {number}")


def _tried(host: str, port: str, kept: contextlib.ExitStack) -> Finding:
    """Listen on a port, and go on until kept is left."""
    if ANY in (host, port):
        return warning(_WHAT, f"{host} {port} is for a socket that a supervisor passes: this check was passed none")
    try:
        number, address = listener.port_number(port), listeners.listening_address(host)
    except Failure as failure:
        return error(_WHAT, failure.sentence)
    return tried(_WHAT, address, number, kept)


def tried(what: str, address: str, port: int, kept: contextlib.ExitStack) -> Finding:
    """Listen on an address and its port, and go on until kept is left. what: the name of the finding."""
    place = f"{address} port {port}"
    try:
        kept.enter_context(listener.listen(address, port, 1))
    except Failure as failure:
        return _taken(what, place, address, port) or error(what, f"{place}: {failure.sentence}")
    return Finding(what, f"{place} is free")


def _taken(what: str, place: str, address: str, port: int) -> Finding | None:
    """Who keeps us from it; None = nobody does."""
    found = tuple(_holders(address.partition("%")[0], port))
    if not found:
        return None
    told = [f"{place} is held by {_named(one)}" for one in found]
    pids = {pid for one in found for pid in _processes(one.inode)}
    if os.getpid() in pids:
        return error(what, f"{place} is asked for twice")
    if pids == {_INIT}:
        return warning(what, f"{told[0]}, which may pass it to the service")
    if pids and all(map(_is_ours, pids)):
        return warning(what, f"{told[0]}, in whose place this one may come")
    return error(what, "; ".join(told))


def _cut(backlog: int) -> Iterator[Finding]:
    """The kernel takes a longer queue for the longest that it has, without a word (listen(2)). backlog: clients."""
    try:
        with open(_LONGEST_QUEUE, encoding="ascii") as file:
            most = int(file.read())
    except (OSError, ValueError):
        return
    if most < backlog:
        yield warning(_WHAT, f"net.core.somaxconn lets {most} clients queue, not {backlog} as -b has it")


def _holders(address: str, port: int) -> Iterator[Holder]:
    for table in _TABLES:
        try:
            with open(table, encoding="ascii") as file:
                yield from holders(file.read(), address, port, sys.byteorder)
        except OSError:
            continue


def _named(holder: Holder) -> str:
    pids = list(_processes(holder.inode))
    if not pids:
        return f"a process of user {user_name(holder.uid)}, root can tell which"
    first = min(pids)
    return f"{_name(first)}, process {first} of user {user_name(holder.uid)}"


def _processes(inode: int) -> Iterator[int]:
    """The processes that have a socket open, those that we may look into."""
    wanted = f"socket:[{inode}]"
    for entry in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with os.scandir(f"/proc/{entry}/fd") as descriptors:
                if any(os.readlink(one.path) == wanted for one in descriptors):
                    yield int(entry)
        except OSError:  # it has ended, has closed one, or is not ours
            continue


def _name(pid: int) -> str:
    if _is_ours(pid):
        return "pytcpserver"
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return "".join(char if char.isprintable() else "?" for char in file.read().strip())
    except OSError:
        return "a program"


def _is_ours(pid: int) -> bool:
    """Whether a process is a pytcpserver; its name is that of its interpreter."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(65536).split(b"\0")[:_WORDS]
    except OSError:
        return False
    return any(part.startswith(b"pytcpserver") for word in words for part in (word, os.path.basename(word)))
