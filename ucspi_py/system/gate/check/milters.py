"""The milters of a configuration, connected to as a worker will, and agreed with. Never tells one of a client."""

import asyncio
import contextlib
import errno
import os
import posixpath
import time

from ....core.auth.place import UnixPlace
from ....core.dns.message import Ask
from ....core.gate.check.subject import Subject
from ....core.gate.milter.check import traps
from ....core.gate.milter.check.seen import NO_ADDRESS, Answers, Seen, Unusable
from ....core.gate.milter.settings import Milter, MilterSettings
from ....core.gate.server import UnixServer
from ....core.milter.failure import MilterFailed
from ....core.milter.negotiation import VERSIONS, Agreed, Offer
from ...auth import reach
from ...lookup import resolver
from ...store.reason import reason
from ..milter.connection import MilterConnection, OpenConnections
from ..reach import NoAddress, connected_socket

#: Seconds that a milter has, also where it is given more: it is one word that it is asked for.
_PATIENCE = 3.0


def seen(subject: Subject, uid: int | None, gid: int | None) -> dict[Milter, Seen]:
    """Ask each milter what it hears and what it may change, all at once.

    subject: with what was read of tables. uid, gid: as of reach.flaw(). Raises AskedWrongly for a word in $DNSCACHEIP
    that is no name server.
    """
    of_all = traps.settings(subject.reading)
    milters = {milter for milter, _ in traps.named(subject)}
    found = {one: _unreached(one, of_all.queue_directory, uid, gid) for one in milters}
    unreached = {one: why for one, why in found.items() if why}
    return unreached | asyncio.run(_all({one: one.settings(of_all) for one in milters - unreached.keys()}))


def _unreached(milter: Milter, directory: str, uid: int | None, gid: int | None) -> Unusable | None:
    """Why the user of a worker does not get at a socket; None = it does, or it is a port."""
    if not isinstance(milter.server, UnixServer):
        return None
    path = posixpath.join(directory, milter.server.path)
    found = reach.tried(UnixPlace(path), uid, gid)
    if found is None:
        return None
    inside = os.path.isabs(milter.server.path) and os.path.exists(directory + path) and not os.path.exists(path)
    return Unusable(found.sentence, found.errno, inside)


async def _all(milters: dict[Milter, MilterSettings]) -> dict[Milter, Seen]:
    with contextlib.closing(resolver.from_environment()) as servers:
        asked = [_Asking(one, settings, servers.ask).seen() for one, settings in milters.items()]
        return dict(zip(milters, await asyncio.gather(*asked), strict=True))


class _Asking:
    """One milter, asked. ask: queries records, where its host has a name."""

    def __init__(self, milter: Milter, settings: MilterSettings, ask: Ask) -> None:
        self._server = milter.server
        self._settings = settings
        self._ask = ask
        self._begun = time.monotonic()

    async def seen(self) -> Seen:
        """Connect to it, and agree with it."""
        try:
            agreed = await self._agreed(self._settings.protocol)
        except NoAddress as failure:
            return Unusable(failure.sentence, NO_ADDRESS)
        except OSError as failure:
            return Unusable(f"unable to connect to it: {reason(failure)}", failure.errno or errno.ETIMEDOUT)
        except MilterFailed as failure:
            return Unusable(failure.sentence, version=await self._other_version())
        return Answers(agreed, time.monotonic() - self._begun)

    async def _other_version(self) -> int | None:
        """Find a version of the protocol that it takes: some hang up where they are offered another one."""
        offer = self._settings.protocol
        for version in sorted({*VERSIONS} - {offer.version}, reverse=True):
            with contextlib.suppress(OSError, MilterFailed):
                await self._agreed(offer._replace(version=version))
                return version
        return None

    async def _agreed(self, offer: Offer) -> Agreed:
        """Raises OSError, NoAddress, MilterFailed."""
        settings = self._settings
        async with asyncio.timeout(min(settings.connect_timeout, self._left)):
            deadline = time.monotonic() + self._left
            connected = await connected_socket(self._server, settings.queue_directory, self._ask, deadline)
        connection = MilterConnection(offer, connected, OpenConnections())
        connection.dialogue.negotiate()
        await connection.answer(min(settings.command_timeout, self._left))
        failure, agreed = connection.dialogue.failure, connection.dialogue.agreed
        if failure or agreed is None:
            raise failure or MilterFailed("it agrees on nothing")
        connection.dialogue.quit()
        connection.send()
        connection.close()
        return agreed

    @property
    def _left(self) -> float:
        """Seconds that are left to it."""
        return max(self._begun + _PATIENCE - time.monotonic(), 0.0)
