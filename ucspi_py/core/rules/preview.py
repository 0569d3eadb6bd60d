"""Clients and two tables of rules -> the clients whose access or relaying changes. Never reads a log or a file."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from .data import instructions
from .diff import Table, changes
from .log_replay import Client
from .match import keys, match


class Outcome(NamedTuple):
    """What rules mean for a client. relays: it is allowed and has RELAYCLIENT."""

    allowed: bool
    relays: bool


class Shift(NamedTuple):
    """A client whose outcome changes. connections: how many it had in the log."""

    connections: int
    client: Client
    old: Outcome
    new: Outcome

    @property
    def words(self) -> str:
        """Name the change: ``loses access and RELAYCLIENT`` and the like."""
        changed = [
            ("gains" if after else "loses", what)
            for what, before, after in zip(("access", "RELAYCLIENT"), self.old, self.new, strict=True)
            if before != after
        ]
        return f"{changed[0][0]} {' and '.join(what for _, what in changed)}"


def shifts(clients: Iterable[tuple[Client, int]], old: Table, new: Table) -> list[Shift]:
    """Find the clients whose outcome changes, the most frequent first. clients: each with its number of connections.

    Nearly all clients of a log have no key that changed, and need no look-up.
    """
    changed = {change.key for change in changes(old, new)}
    found = []
    for client, connections in clients:
        if b":" not in client.ip and changed.isdisjoint(keys(*client)):
            continue
        before, after = _outcome(old, client), _outcome(new, client)
        if before != after:
            found.append(Shift(connections, client, before, after))
    return sorted(found, key=lambda shift: (-shift.connections, shift.client.ip, shift.client.host or b""))


def _outcome(table: Table, client: Client) -> Outcome:
    decided = match(table.get, *client)
    return _outcome_of(decided.value if decided else b"")


@lru_cache(maxsize=1024)
def _outcome_of(value: bytes) -> Outcome:
    said = instructions(value)
    relays = any(name == b"RELAYCLIENT" for name, _ in said.variables)
    return Outcome(not said.deny, relays and not said.deny)
