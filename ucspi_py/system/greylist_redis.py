"""Greylist records in a Valkey or Redis server, which several hosts may share. The only importer of redis.

To be made in the process that uses it: no connection may cross a fork. Never decides.
"""

import encodings.idna  # noqa: F401  names of hosts need it, and nothing can be imported once root is given up
from inspect import signature
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ..core.greylist import Record, decide, expiry
from ..core.settings import GreylistSettings
from ..core.verdict import Verdict

#: Seconds for one answer of the server; who calls has a deadline for all of them together.
_PATIENCE = 1.0
#: A server that answers in a millisecond serves thousands of clients a second by these.
_CONNECTIONS = 8
_KEY = "greylist:"


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
        await self._server.ping()

    async def visit(self, network: str, now: int) -> Verdict:
        """The verdict on a visit of a network at a time in seconds since 1970; what is to be remembered is."""
        known = _record(await self._server.get(_KEY + network))
        decision = decide(known, now, self._settings)
        if decision.record != known:
            lifetime = expiry(decision.record, self._settings) - now
            await self._server.set(_KEY + network, _text(decision.record), ex=lifetime + 1)
        return decision.verdict

    async def close(self) -> None:
        """Give everything back."""
        await self._pool.disconnect()


def _understood(**wishes: Any) -> dict[str, Any]:
    """Those of our wishes that the installed redis knows: protocol came with 5.0, driver_info with 7.2."""
    known = {name for kind in Connection.__mro__[:-1] for name in signature(kind).parameters}
    return {name: value for name, value in wishes.items() if name in known}


def _text(record: Record) -> str:
    return f"{record.first} {'-' if record.passed is None else record.passed}"


def _record(value: bytes | str | None) -> Record | None:
    """What was written of a network; text, if the URL asks for it. Raises ValueError for what is none of ours."""
    if value is None:
        return None
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    try:
        first, passed = text.split()
        return Record(int(first), None if passed == "-" else int(passed))
    except ValueError:
        raise ValueError("there is something else under our keys") from None
