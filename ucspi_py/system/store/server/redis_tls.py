"""Connections to a server over TLS: what each of them has anew in the library, and waits for, costs no client here."""

from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import RedisSSLContext, SSLConnection


def quicken(pool: ConnectionPool) -> None:
    """Have what a pool connects with over TLS made now and once: to read all authorities takes a tenth of a second.

    Raises OSError where a file of the URL cannot be read.
    """
    context = SSLConnection(**pool.connection_kwargs).ssl_context
    context.get()
    pool.connection_kwargs["context"] = context
    pool.connection_class = _Connection


class _Connection(SSLConnection):
    """One connection. context: of all."""

    def __init__(self, context: RedisSSLContext, **wishes: Any) -> None:
        super().__init__(**wishes)
        self.ssl_context = context

    async def disconnect(self, *words: Any, **more: Any) -> None:
        """Disconnect without a farewell: a server that hangs returns none, and the library waits for it."""
        writer: Any = self._writer
        if writer is not None and not writer.transport.is_closing():  # also of who has given up on it
            writer.transport.abort()
        await super().disconnect(*words, **more)
