"""Where an address leads, as values. Never finds out."""

import enum
from typing import NamedTuple


class Kind(enum.Enum):
    """The kind of a destination (ADDRESS_CLASS_README).

    LOCAL: mydestination. ALIAS: virtual_alias_domains. VIRTUAL: virtual_mailbox_domains. OWN: of the mail system behind
    us. RELAY: relay_domains. OTHER: anybody's.
    """

    LOCAL = "local"
    ALIAS = "alias"
    VIRTUAL = "virtual"
    OWN = "own"
    RELAY = "relay"
    OTHER = "other"

    @property
    def is_final(self) -> bool:
        """Whether it ends here (RESOLVE_CLASS_FINAL)."""
        return self not in (Kind.RELAY, Kind.OTHER)


class Resolved(NamedTuple):
    """A whole address in lower case.

    routed: the local part sends it on to elsewhere. unsure: whether it is the mail system's own cannot be told now.
    """

    local: bytes
    domain: bytes
    kind: Kind
    routed: bool = False
    unsure: bool = False
