"""What the traps look at: a configuration, and what there is around it. Never looks for a trap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...dnsbl.health import Health
from ..maps.names import Broken, MapName
from ..restrictions.configured import DOMAINS
from .entries import Contents, of_unfiled
from .reading import Reading

if TYPE_CHECKING:
    from ..milter.check.seen import Seen
    from ..milter.settings import Milter
    from ..policy.settings import PolicyService


class Keys(NamedTuple):
    """What is wrong with the keys for TLS. error: for which the gate does not start; "" = none. warnings: besides."""

    error: str = ""
    warnings: tuple[str, ...] = ()


_SOUND = Keys()


def _nobody_knows(_domain: bytes) -> bool | None:
    return None


class PasswordsSeen(NamedTuple):
    """What was seen of whoever checks passwords.

    refused: why a gate does not start with it. without_effect: sentences about its own file, with their places.
    unreachable: why a worker will not get an answer. Each "" or () = nothing.
    """

    refused: str = ""
    without_effect: tuple[str, ...] = ()
    unreachable: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands beside a configuration.

    tables: what was read of each that has a file. holds: whether qmail's rcpthosts have a domain; None = that cannot be
    told. gateways: addresses of the way out of the container in which this is; () = it is in none. zones: of each name
    what a test has shown; None = no name server answers. passwords: whoever checks them. ledger: why the file of
    relay_store cannot be read; None = it can, or there is none. is_ledger_open: whether anybody may write it.
    keys: what is wrong with those for TLS. services: of each policy service that cannot be asked, why. greylist:
    sentences about the whitelists and the store of check_greylist. milters: what is seen of each that was asked.
    """

    tables: Mapping[MapName, Contents] = field(default_factory=dict)
    holds: Callable[[bytes], bool | None] = _nobody_knows
    gateways: tuple[bytes, ...] = ()
    zones: Mapping[bytes, Health] | None = field(default_factory=dict)
    passwords: PasswordsSeen = field(default_factory=PasswordsSeen)
    ledger: str | None = None
    is_ledger_open: bool = False
    keys: Keys = _SOUND
    services: "Mapping[PolicyService, str]" = field(default_factory=dict)
    greylist: tuple[str, ...] = ()
    milters: "Mapping[Milter, Seen]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """A reading, and what is around it."""

    reading: Reading
    around: Surroundings

    def contents(self, name: MapName) -> Contents:
        """Find the entries of a table, or why they cannot be told."""
        return self.around.tables[name] if name in self.around.tables else of_unfiled(name)

    def is_yes(self, name: str) -> bool:
        """Whether a parameter says yes."""
        return self.reading.text(name) == "yes"

    def is_ours(self, domain: bytes) -> bool | None:
        """Whether mail for a domain, in lower case, is taken from anybody; None = it cannot be told."""
        if any(self._has(name, domain) for name in DOMAINS):
            return True
        return self.around.holds(domain)

    def _has(self, name: str, domain: bytes) -> bool:
        for word in self.reading.words(name):
            text = word.text.lower().encode("utf-8", "surrogateescape")
            below = name == "relay_domains" and domain.endswith(b"." + text)
            if domain == text or below or (b":" in text and self._is_key(word.text, domain)):
                return True
        return False

    def _is_key(self, word: str, domain: bytes) -> bool:
        kind, _, path = word.partition(":")
        contents = self.contents(MapName(kind, path))
        return not isinstance(contents, Broken) and any(entry.key.lower() == domain for entry in contents)
