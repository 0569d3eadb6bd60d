"""Whether a client may relay by a grant: who is asked about, and what its program is told. Never asks.

A rule speaks before the ledger: with RELAYCLIENT the client relays anyhow, with RELAY="never" no grant counts for it. A
login of the session itself is none of this.
"""

from collections.abc import Mapping, Sequence

from ..smtp.verdict import Accept, Outcome
from . import loglines
from .address import address, is_within
from .grant import Grant, is_ahead, speaking
from .settings import RelaySettings

_NEVER = b"never"


def may_be_granted(environment: Mapping[bytes, bytes]) -> bool:
    """Whether rules leave it to grants, and to certificates, that a client may relay."""
    return b"RELAYCLIENT" not in environment and environment.get(b"RELAY") != _NEVER


def why_unasked(environment: Mapping[bytes, bytes], settings: RelaySettings) -> str | None:
    """Why the ledger is not asked about a client; None = it is."""
    if b"RELAYCLIENT" in environment:
        return "RELAYCLIENT is set, the ledger is not asked"
    if not may_be_granted(environment):
        return 'RELAY="never": no grant counts'
    try:
        ip = address(environment.get(b"TCPREMOTEIP", b""))
    except ValueError:
        return "the client has no address"
    if any(is_within(str(ip), network) for network in settings.mynetworks):
        return "the client is in mynetworks, the ledger is not asked"
    return None


def outcome(environment: Mapping[bytes, bytes], grants: Sequence[Grant], now: int, pid: int) -> Outcome:
    """Decide by the grants of a client; it is let in in any case. now: seconds since 1970. pid: process id."""
    ip = environment.get(b"TCPREMOTEIP", b"")
    grant = speaking(grants, now)
    if grant:
        return Outcome(
            Accept(vouched=True), Accept(), variables(environment, grant), (loglines.relays(ip, pid, grant, now),)
        )
    ahead = next((one for one in grants if is_ahead(one, now)), None)
    return Outcome(Accept(), Accept(), lines=(loglines.is_ahead(ip, pid, ahead),) if ahead else ())


def variables(environment: Mapping[bytes, bytes], grant: Grant) -> dict[bytes, bytes]:
    """Tell a program of a grant. Zones and greylist are spared, unless a rule has said itself what they say."""
    told = {b"RELAYCLIENT": grant.relayclient, b"RELAYUSER": grant.user}
    if b"RBLSMTPD" not in environment:
        told[b"RBLSMTPD"] = b""
    if grant.channel:
        told[b"CHANNEL"] = grant.channel
    return told
