"""Grants given, listed and revoked. Never asked about a client: reader.py is, and opens nothing where it fails."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeVar

from ...core.errors import Failure
from ...core.ledger import address, record
from ...core.ledger.address import Address
from ...core.ledger.changes import TENANT, Granting, Revoking
from ...core.ledger.grant import Grant, How, field
from ...core.ledger.settings import LedgerSettings
from ...core.store import url
from ...core.store.change import Row
from ..store.reason import reason
from ..store.records import Store

T = TypeVar("T")


class Login(NamedTuple):
    """A user who has shown who it is, and where. ip: its address. The texts are those of a Grant."""

    ip: Address
    how: How
    user: bytes
    by: bytes
    relayclient: bytes = b""
    channel: bytes = b""


class Granted(NamedTuple):
    """A grant that was given. key: its address or network. users: of that who have a grant now, this one included."""

    key: str
    users: int


class NotGranted(NamedTuple):
    """A grant that was not given, and why."""

    sentence: str


class Entry(NamedTuple):
    """The grants of an address or network."""

    key: str
    grants: tuple[Grant, ...]


class Ledger:
    """One process's way to the ledger, to be made in the process that uses it.

    seconds: within which the store has to answer each question. All methods raise Failure where it cannot be used.
    """

    def __init__(self, settings: LedgerSettings, seconds: float) -> None:
        self._settings = settings
        self._seconds = seconds
        self._store: Store | None = None

    async def open(self) -> None:
        """Open the store, made if it does not exist."""
        await self._asked(lambda store: store.open())

    async def grant(self, login: Login, seconds: int) -> Granted | NotGranted:
        """Give a grant, or renew it; a login never shortens one. seconds: its life from now."""
        flaw = self._flaw(login)
        if flaw:
            return NotGranted(flaw)
        settings = self._settings
        key = address.key(login.ip, settings.length)
        change = Granting(now(), seconds, settings.users, *login[1:])
        users = await self._asked(lambda store: store.update(key, change))
        return Granted(key, users) if users else NotGranted(f"{key} has grants of {settings.users} users already")

    async def revoke(self, key: str, user: bytes | None = None) -> int:
        """End the grants of an address or network -> how many there were. user: whose; None = everybody's."""
        change = Revoking(now(), user)
        return await self._asked(lambda store: store.update(key, change))

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield all that is kept, also what has expired and is not swept away yet. Redis may say a thing twice."""
        after: str | None = None
        while True:
            entries, after = await self._page(after)
            for entry in entries:
                yield entry
            if after is None:
                return

    async def close(self) -> None:
        """Give everything back."""
        if self._store is not None:
            await self._asked(lambda store: store.close())

    def _flaw(self, login: Login) -> str | None:
        settings = self._settings
        try:
            for text in login[2:]:
                field(text)
        except ValueError as wrong:
            return f"a name or a value has {wrong}"
        return address.flaw(login.ip, settings.refused, allows_private=settings.allows_private)

    async def _page(self, after: str | None) -> tuple[list[Entry], str | None]:
        async def read(store: Store) -> tuple[list[Entry], str | None]:
            rows, last = await store.page(TENANT, after)
            return [_entry(one.key, one.row) for one in rows], last

        return await self._asked(read)

    def _made(self) -> Store:
        place = self._settings.store
        if url.is_url(place):
            from ..store.redis import RedisStore

            return RedisStore(place, (TENANT,))
        from ..store.sqlite import SqliteStore

        return SqliteStore(place, (TENANT,), busy=self._seconds * 0.8)

    async def _asked(self, deed: Callable[[Store], Awaitable[T]]) -> T:
        try:
            self._store = self._store or self._made()
            async with asyncio.timeout(self._seconds):
                return await deed(self._store)
        except Exception as error:  # each library has its own
            raise Failure(f"unable to use {url.shown(self._settings.store)}: {reason(error)}") from None


def _entry(key: str, row: Row) -> Entry:
    """Read a record. Raises ValueError with the key of one that is none: somebody has to take it away by hand."""
    try:
        return Entry(key, record.grants(row))
    except ValueError as wrong:
        raise ValueError(f"{key}: {wrong}") from None


def now() -> int:
    """Tell the time of grants, in seconds since 1970."""
    return int(time.time())


def recorder(uid: int) -> bytes:
    """Name who records a grant: ``uid@host``. uid: of the process that asks for it."""
    return f"{uid}@{os.uname().nodename}".encode()
