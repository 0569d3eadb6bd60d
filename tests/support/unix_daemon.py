"""A daemon on a Unix socket in the loop of the test itself, which answers as the test wants."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable

#: Of the loop, that asyncio takes for a client who has just come until the function is called for it.
_TURNS = 10

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """Serve each client with a function, then close; the path of the socket. Clients that are left are left alone."""
    tasks = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        with contextlib.suppress(asyncio.CancelledError), contextlib.closing(writer):
            await serve(reader, writer)

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"
        async with await asyncio.start_unix_server(served, path):
            yield path
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.wait(filter(None, tasks))
        await asyncio.sleep(0)  # what is closed is given back in the next turn
