"""A client of a gate in the test's process that speaks TLS, and the keys of that gate."""

import asyncio
import ssl
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.gate_room import Guest
from ucspi_py.core.gate.tls.settings import GateTls
from ucspi_py.core.tls.settings import TlsSettings
from ucspi_py.system.gate.tls.starttls import StartTls
from ucspi_py.system.tls.contexts import Contexts
from ucspi_py.system.tls.pem import sealed

NAME = "mx.example.org"


class Keys:
    """An authority, and one pair of keys. trusting: the context of a client."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.pair = self.authority.pair(NAME)
        self.trusting = ssl.create_default_context(cafile=self.authority.ca_file)

    def starttls(self, *, has_keys: bool = True, is_required: bool = False, seconds: int = 5) -> StartTls:
        """TLS of a gate. has_keys: False = none could be read. seconds: of a handshake."""
        settings = TlsSettings((self.pair,), handshake_seconds=seconds)
        contexts = Contexts(settings, lambda _sentence: None)
        if has_keys:
            contexts.use([sealed(self.pair)])
        return StartTls(GateTls(settings, is_required), contexts)


class Within:
    """A guest within TLS. tls: its end."""

    def __init__(self, guest: Guest, context: ssl.SSLContext) -> None:
        self._guest = guest
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=NAME)
        self._rest = b""

    async def begin(self) -> "Within":
        """Shake hands."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._exchange()
            else:
                await self._guest.say(self._out.read())
                return self

    async def say(self, data: bytes) -> None:
        """Send it all."""
        self.tls.write(data)
        await self._guest.say(self._out.read())

    async def line(self) -> bytes:
        """The next line, without its end; b"" where the other side has ended TLS."""
        while b"\r\n" not in self._rest:
            try:
                piece = self.tls.read(65536)
            except ssl.SSLWantReadError:
                await self._exchange()
                continue
            except ssl.SSLZeroReturnError:
                return b""
            if not piece:
                return b""
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    async def ask(self, *commands: bytes) -> bytes:
        """Say commands, each behind the reply to the one before; the last line of the last reply."""
        line = b""
        for command in commands:
            await self.say(command + b"\r\n")
            while (line := await self.line())[3:4] == b"-":
                pass
        return line

    async def _exchange(self) -> None:
        await self._guest.say(self._out.read())
        async with asyncio.timeout(10):
            data = await asyncio.get_running_loop().sock_recv(self._guest.socket, 65536)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()


async def secured(guest: Guest, keys: Keys) -> Within:
    """A guest that has said STARTTLS, and shakes hands."""
    assert await guest.ask(b"STARTTLS") == b"220 2.0.0 Ready to start TLS"
    return await Within(guest, keys.trusting).begin()
