"""What the operator asked of greylist, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass
from typing import ClassVar

from ..client.limits import Prefixes
from ..store.size import DEFAULT


@dataclass(frozen=True, slots=True)
class GreylistSettings:
    """How greylist screens, in seconds.

    store: path of an SQLite file, or a redis:, rediss: or unix: URL. delay: from the first contact of a network until
    it is let in. window: from the first contact until it is forgotten, unless let in. memory: from being let in until
    it is forgotten, unless let in again. network: the prefixes that make clients one. session_seconds: for the
    refused dialogue. max_size: bytes that a store in a file may have.
    """

    log_name: ClassVar[bytes] = b"greylist"
    totals_name: ClassVar[bytes] = b"greylist"
    verbose: ClassVar[bool] = False

    store: str
    delay: int
    window: int
    memory: int
    network: Prefixes
    session_seconds: int
    max_size: int = DEFAULT
