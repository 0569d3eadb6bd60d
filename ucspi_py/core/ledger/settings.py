"""What the operator asked of the ledger, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass
from typing import ClassVar

from ..rules.cidr import Network
from .address import NETWORK

#: Seconds from a login until its grant ends: relay-ctrl's.
LIFE = 900
#: Users of one address that may have a grant at once; each makes its record longer.
USERS = 100
#: From so many on they are named in the log: an address of so many users is no person's.
MANY = 10


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """To whom grants are given.

    store: path of an SQLite file, or a redis:, rediss: or unix: URL. length: of the prefix that is one client of IPv6,
    64 or 128. users: of one address that may have a grant at once. refused: networks that get none. allows_private:
    whether private addresses, and those that the customers of a carrier share, get one.
    """

    store: str
    length: int = NETWORK
    users: int = USERS
    refused: tuple[Network, ...] = ()
    allows_private: bool = False


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How pyrelay check asks. It refuses nobody, so its verdicts are not counted, and session_seconds is 0.

    store: as of LedgerSettings. mynetworks: of the gate behind, where clients relay anyhow.
    """

    log_name: ClassVar[bytes] = b"relay"
    totals_name: ClassVar[bytes] = b""
    verbose: ClassVar[bool] = False
    session_seconds: ClassVar[int] = 0

    store: str
    mynetworks: tuple[Network, ...] = ()
