"""The screens of one worker. Here alone their kinds are told apart. Never talks to a client."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.dnsbl import loglines
from ...core.dnsbl.settings import DnsblSettings
from ...core.greylist.settings import GreylistSettings
from ...core.service.settings import ScreenSettings
from ...core.smtp.verdict import Accept, Refuse, Verdict
from ..dnsbl import screen as dnsbl_screen
from ..dnsbl.client import DnsblClient
from ..report.connection_log import ConnectionLog
from ..report.log import Log
from . import greylist as greylist_screen
from .greylist import Greylist


class Screen(Protocol):
    """A screen in service."""

    @property
    def settings(self) -> ScreenSettings:
        """What the operator asked for."""

    async def open(self) -> None:
        """Get ready; what is wrong is said in the log."""

    async def judge(self, environment: dict[bytes, bytes], client: socket.SocketType, /) -> Verdict:
        """What becomes of the client that the environment describes; the screen may leave marks there."""


@dataclass(frozen=True, slots=True)
class DnsblScreen:
    """rblsmtpd."""

    settings: DnsblSettings
    dnsbl_client: DnsblClient
    connection_log: ConnectionLog

    async def open(self) -> None:
        """Zones are asked when a client comes."""

    async def judge(self, environment: dict[bytes, bytes], client: socket.SocketType, /) -> Verdict:
        """What $RBLSMTPD or the zones say; whoever is only interrogated or in a dry run is let in."""
        screened = await dnsbl_screen.screen(self.settings, environment, self.dnsbl_client.ask_zone, client)
        self.dnsbl_client.note_result(self.settings, screened)
        ip = environment.get(b"TCPREMOTEIP", b"")
        if self.settings.verbose and screened.results:
            self.connection_log.remark(dnsbl_screen.results_line(self.settings, screened, ip, os.getpid()))
        if self.settings.interrogate:
            environment.update(dnsbl_screen.marks(self.settings, screened))
            return Accept()
        if self.settings.dry_run and isinstance(screened.verdict, Refuse):
            self.connection_log.remark(loglines.would_refuse(ip, os.getpid(), screened.verdict.reply))
            return Accept()
        return screened.verdict


@dataclass(frozen=True, slots=True)
class GreylistScreen:
    """greylist."""

    settings: GreylistSettings
    greylist: Greylist
    dnsbl_client: DnsblClient

    async def open(self) -> None:
        """Open the store."""
        await self.greylist.open()

    async def judge(self, environment: dict[bytes, bytes], _client: socket.SocketType, /) -> Verdict:
        """What the records say."""
        verdict = await self.greylist.judge(environment)
        self.dnsbl_client.note_verdict(self.settings.totals_name, verdict)
        return verdict


def in_service(
    settings: Sequence[ScreenSettings], dnsbl_client: DnsblClient, connection_log: ConnectionLog, log: Log
) -> tuple[Screen, ...]:
    """The screens, to be opened and used in the process that calls this."""

    def screen(one: ScreenSettings) -> Screen:
        match one:
            case DnsblSettings():
                return DnsblScreen(one, dnsbl_client, connection_log)
            case GreylistSettings():
                return GreylistScreen(one, Greylist(one, log), dnsbl_client)
        raise TypeError(one)

    return tuple(map(screen, settings))


def import_libraries(settings: Sequence[ScreenSettings]) -> None:
    """Import what the screens will need, while we may still read whatever root may.

    A library that is missing is told of when the screen opens.
    """
    for one in settings:
        if isinstance(one, GreylistSettings):
            try:
                greylist_screen.import_library(one)
            except ImportError:
                pass
