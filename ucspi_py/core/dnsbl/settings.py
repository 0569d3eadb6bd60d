"""What the operator asked of rblsmtpd, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass
from typing import ClassVar

from .zone import Zone


@dataclass(frozen=True, slots=True)
class DnsblSettings:
    """How rblsmtpd screens.

    zones: in written order. session_seconds: -t, for a refused dialogue. lookup_seconds: -d, for all zones together.
    refuse_score, bounce_score: -T, the scores from which a client is refused for now and for good; None = djb's way,
    and never for good. greet_seconds: -w, how long a client is watched for talking first. ask_private: -p. interrogate:
    -i. dry_run: refuse nobody. verbose: -v, say what each zone said and what a refused client says of itself.
    """

    log_name: ClassVar[bytes] = b"rblsmtpd"
    totals_name: ClassVar[bytes] = b"dnsbl"

    zones: tuple[Zone, ...]
    session_seconds: int
    lookup_seconds: float
    refuse_score: int | None = None
    bounce_score: int | None = None
    greet_seconds: float = 0.0
    ask_private: bool = False
    interrogate: bool = False
    dry_run: bool = False
    verbose: bool = False
