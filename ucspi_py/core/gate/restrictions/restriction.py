"""One restriction of a list as a value. Never parses and never judges one."""

from typing import TYPE_CHECKING, NamedTuple, cast

from ...dnsbl.zone import Zone
from ..maps.names import MapName
from .names import REFUSED

if TYPE_CHECKING:
    from ..policy.settings import PolicyService

#: Names that no word of a list has: a table without a name before it, a class, and a word that is wrong.
TABLE, CLASS, FLAWED = ":table", ":class", ":flawed"
WARN_IF_REJECT = "warn_if_reject"


class Restriction(NamedTuple):
    """One restriction.

    name: Postfix's, in lower case, the newest of several. argument: a table, a zone, a service, seconds, a store; the
    name of a class; of a flawed one, and of one that the gate refuses, the sentence that says why. where: the place
    that has it, for a message.
    """

    name: str
    argument: "MapName | Zone | PolicyService | int | str | None" = None
    where: str = ""

    @property
    def word(self) -> str | None:
        """The name as a list has it; None where no list has such a name."""
        return None if self.name.startswith(":") else self.name

    @property
    def table(self) -> MapName:
        """The table behind a name that needs one."""
        return cast(MapName, self.argument)

    @property
    def zone(self) -> Zone:
        """The zone behind a name that needs one."""
        return cast(Zone, self.argument)

    @property
    def service(self) -> "PolicyService":
        """The policy service behind a name that needs one."""
        return cast("PolicyService", self.argument)

    @property
    def seconds(self) -> int:
        """The time behind a name that needs one."""
        return cast(int, self.argument)

    @property
    def store(self) -> str:
        """The store behind a name that needs one."""
        return cast(str, self.argument)

    @property
    def is_flawed(self) -> bool:
        """Whether it is a word that is wrong, or one that the gate refuses."""
        return self.name == FLAWED or self.name in REFUSED

    @property
    def text(self) -> str:
        """The name of a class, and what is wrong with a flawed one or a refused one."""
        return cast(str, self.argument)


Restrictions = tuple[Restriction, ...]
