"""Greylist records in a Valkey or Redis server, which several hosts may share. The only importer of redis.

To be made in the process that uses it: no connection may cross a fork. Never decides.
"""

import asyncio
import encodings.idna  # noqa: F401  names of hosts need it, and nothing can be imported once root is given up
from collections.abc import Awaitable
from inspect import signature
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from ...core.greylist.network import Record, decide, expiry
from ...core.greylist.settings import GreylistSettings
from ...core.smtp.verdict import Verdict

T = TypeVar("T")

#: Seconds for one answer of the server; who calls has a deadline for all of them together.
_PATIENCE = 1.0
#: A server that answers in a millisecond serves thousands of clients a second by these.
_CONNECTIONS = 8
_KEY = "greylist:"
#: Times that a record is decided on anew because another host has changed it meanwhile.
_TRIES = 8

#: Writes a record where the one that was decided on is still there, and answers what was there.
_REPLACE = """
local found = redis.call('GET', KEYS[1])
if (found or '') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return found
"""


class RedisStore:
    """One process's way to the server. Its methods raise redis.RedisError, OSError or ValueError where it fails."""

    def __init__(self, settings: GreylistSettings) -> None:
        self._settings = settings
        self._pool = BlockingConnectionPool.from_url(
            settings.store,
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),  # the client is not to wait twice
            **_understood(protocol=2, driver_info=None),
        )
        self._server: Redis = Redis(connection_pool=self._pool)

    async def open(self) -> None:
        """Ask whether the server is there."""
        await self._asked(self._server.ping())

    async def visit(self, network: str, now: int) -> Verdict:
        """The verdict on a visit of a network at a time in seconds since 1970; what is to be remembered is."""
        return await self._asked(self._visit(_KEY + network, now))

    async def _asked(self, deed: Awaitable[T]) -> T:
        try:
            return await deed
        except (RedisError, OSError, asyncio.CancelledError):
            # The server may have been demoted, or be gone: nobody is to wait for it on each connection that is open.
            await self._pool.disconnect(inuse_connections=False)
            raise

    async def _visit(self, key: str, now: int) -> Verdict:
        known = _text(await self._server.get(key))
        for _ in range(_TRIES):
            record = _record(known)
            decision = decide(record, now, self._settings)
            if decision.record == record:
                return decision.verdict
            found = await self._replace(key, known, decision.record, now)
            if found == known:
                return decision.verdict
            known = found
        raise ValueError("too many hosts write at once")

    async def _replace(self, key: str, known: str | None, record: Record, now: int) -> str | None:
        """Write a record in the place of a known one; what was found in that place, and left alone if it is another."""
        lifetime = str(expiry(record, self._settings) - now + 1)
        return _text(await self._server.eval(_REPLACE, 1, key, known or "", _written(record), lifetime))

    async def close(self) -> None:
        """Give everything back."""
        await self._pool.disconnect()


def _understood(**wishes: Any) -> dict[str, Any]:
    """Those of our wishes that the installed redis knows: protocol came with 5.0, driver_info with 7.2."""
    known = {name for kind in Connection.__mro__[:-1] for name in signature(kind).parameters}
    return {name: value for name, value in wishes.items() if name in known}


def _written(record: Record) -> str:
    return f"{record.first} {'-' if record.passed is None else record.passed}"


def _text(value: bytes | str | None) -> str | None:
    """A value as text, whichever of both the URL asks for."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _record(text: str | None) -> Record | None:
    """What was written of a network. Raises ValueError for what is none of ours."""
    if text is None:
        return None
    try:
        first, passed = text.split()
        return Record(int(first), None if passed == "-" else int(passed))
    except ValueError:
        raise ValueError("there is something else under our keys") from None
