"""Why a client that is tried may relay, by all that is said of it. Never asks a ledger."""

import enum
from collections.abc import Mapping

from ..gate.visitor import is_in
from ..ledger import relay
from ..ledger.grant import Grant, How
from ..ledger.settings import RelaySettings
from ..rules.cidr import Network
from .clients import Known

#: As of somebody who has just opened a mailbox.
_GRANT = Grant(expires=1, renewed=0, granted=0, logins=1, how=How.POP3, user=b"relaytest", by=b"relaytest")


class Trust(enum.Enum):
    """The word of the table."""

    NONE = "unknown"
    RULE = "RELAYCLIENT"
    NETWORK = "mynetworks"
    GRANTED = "granted"
    LOGIN = "logged in"


def trusted(known: Known, environment: Mapping[bytes, bytes], networks: tuple[Network, ...]) -> Trust:
    """Tell why a client may relay; a stranger may not, whatever is said.

    environment: the client's, with the variables of its rule. networks: those that may relay.
    """
    if known.is_stranger:
        return Trust.NONE
    if b"RELAYCLIENT" in environment:
        return Trust.RULE
    return Trust.NETWORK if is_in(known.client.ip, networks) else Trust.NONE


def granted(environment: Mapping[bytes, bytes], settings: RelaySettings) -> dict[bytes, bytes] | None:
    """Tell what a client's environment gets by a grant; None where no grant would count."""
    return relay.variables(environment, _GRANT) if relay.why_unasked(environment, settings) is None else None
