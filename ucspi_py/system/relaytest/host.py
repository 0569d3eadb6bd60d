"""A server that is asked over the network, from the address that we have. Never starts one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...core.address import canonical
from ...core.errors import Failure, unable
from ...core.relaytest import probes
from ...core.relaytest.probes import Addresses, Probe, address_literal
from ...core.smtp.reply import Reply
from .service import SUBMISSIONS, is_submission
from .session import Connection, answers, unverified

#: Seconds until somebody answers at all.
_PATIENCE = 30.0


def test(host: str, port: int, addresses: Addresses, *, relays: bool) -> tuple[tuple[Probe, Reply | None], ...]:
    """Ask a server about probes -> its replies; None where there was none.

    host: a name, or an address. port: its number. relays: we may. Raises Failure where it cannot be reached.
    """
    return asyncio.run(_test(host, port, addresses, relays=relays))


async def _test(host: str, port: int, addresses: Addresses, *, relays: bool) -> tuple[tuple[Probe, Reply | None], ...]:
    opened = [await _opened(host, port)]
    peer = opened[0].writer.get_extra_info("peername")[0]

    @asynccontextmanager
    async def connected() -> AsyncIterator[Connection]:
        connection = opened.pop() if opened else await _opened(host, port)
        try:
            yield connection
        finally:
            connection.writer.close()

    addresses = addresses._replace(literal=address_literal(canonical(peer)))
    submission = is_submission(port)
    wanted = probes.of_trusted(addresses) if relays else probes.of_stranger(addresses, is_submission=submission)
    found = await answers(connected, wanted)
    return tuple((probe, found.get(probe)) for probe in wanted)


async def _opened(host: str, port: int) -> Connection:
    try:
        async with asyncio.timeout(_PATIENCE):
            tls = unverified() if port == SUBMISSIONS else None
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except TimeoutError:
        raise Failure(f"unable to connect to {host}: timed out") from None
    except OSError as error:
        raise unable(f"connect to {host}", error) from None
    return Connection(reader, writer, address_literal(canonical(writer.get_extra_info("sockname")[0])))
