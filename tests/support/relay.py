"""The ledger as tests fill it, and programs that say who may relay."""

import asyncio
from pathlib import Path

from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.settings import LedgerSettings
from ucspi_py.system.ledger.ledger import Granted, Ledger, Login

from .programs import ours

RELAY = ours("pyrelay")
#: Says what of its environment is about relaying, a line each; nothing where there is none.
SAYS = ("sh", "-c", "env | grep -E '^(RELAY|RBLSMTPD|CHANNEL|LD_|EVIL)' | sort; echo end")


def made(place: Path) -> str:
    """A ledger without a grant, as a service that runs has it."""

    async def make() -> None:
        ledger = Ledger(LedgerSettings(str(place)), 10.0)
        await ledger.open()
        await ledger.close()

    asyncio.run(make())
    return str(place)


def grant(
    place: str, ip: str, user: bytes = b"joe", seconds: int = 900, *, relayclient: bytes = b"", channel: bytes = b""
) -> None:
    """Give a grant, as by a login; to loopback and private addresses too."""

    async def give() -> None:
        ledger = Ledger(LedgerSettings(place, allows_private=True), 10.0)
        login = Login(address(ip.encode()), How.POP3, user, b"tests", relayclient, channel)
        assert isinstance(await ledger.grant(login, seconds), Granted)
        await ledger.close()

    asyncio.run(give())
