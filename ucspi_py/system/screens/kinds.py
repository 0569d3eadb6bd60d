"""The kinds of screens, a row each: another kind is a folder of its own, a row here, and its options in cli.

What asks is imported where it is needed: a process whose client is decided by the environment loads none of it.
"""

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial

from ...core.dnsbl import outcome as dnsbl
from ...core.dnsbl.settings import DnsblSettings
from ...core.greylist import network as greylist
from ...core.greylist.settings import GreylistSettings
from ...core.ledger import relay
from ...core.ledger.settings import RelaySettings
from ...core.service.settings import ScreenSettings
from ...core.smtp.verdict import Accept, Outcome
from .screen import Host, Judge, Kind, Screen


def _unasked_dnsbl(settings: DnsblSettings, environment: Mapping[bytes, bytes], pid: int) -> Outcome | None:
    screened = dnsbl.unasked(settings, environment)
    return dnsbl.outcome(settings, environment, screened, pid) if screened else None


def _dnsbl_judge(settings: DnsblSettings, host: Host) -> Judge:
    from ..dnsbl.judge import DnsblJudge

    return DnsblJudge(settings, host.zones())


def _load_dnsbl(_settings: DnsblSettings) -> None:
    from ..dnsbl import judge  # noqa: F401


def _unasked_greylist(_settings: GreylistSettings, environment: Mapping[bytes, bytes], _pid: int) -> Outcome | None:
    return Outcome(Accept(), Accept()) if greylist.exempt(environment) else None


def _greylist_judge(settings: GreylistSettings, host: Host) -> Judge:
    from .greylist import Greylist

    return Greylist(settings, host.log, partial(host.heard, "greylist"))


def _load_greylist(settings: GreylistSettings) -> None:
    from .greylist import import_library

    import_library(settings)


def _unasked_relay(settings: RelaySettings, environment: Mapping[bytes, bytes], _pid: int) -> Outcome | None:
    return Outcome(Accept(), Accept()) if relay.why_unasked(environment, settings) else None


def _relay_judge(settings: RelaySettings, host: Host) -> Judge:
    from .relay import RelayCheck

    return RelayCheck(settings, host.log, partial(host.heard, "ledger"))


def _load_relay(settings: RelaySettings) -> None:
    from .relay import import_library

    import_library(settings)


KINDS = (
    Kind(DnsblSettings, _unasked_dnsbl, _dnsbl_judge, _load_dnsbl),
    Kind(GreylistSettings, _unasked_greylist, _greylist_judge, _load_greylist),
    Kind(RelaySettings, _unasked_relay, _relay_judge, _load_relay),
)


def in_service(settings: Sequence[ScreenSettings], host: Host) -> tuple[Screen, ...]:
    """Make the screens, to be opened and used in the process that calls this."""
    return tuple(Screen(one, _kind(one), host) for one in settings)


def import_libraries(settings: Sequence[ScreenSettings]) -> None:
    """Import what the screens will need, while we may still read whatever root may.

    A library that is missing is told of when the screen opens.
    """
    for one in settings:
        with contextlib.suppress(ImportError):
            _kind(one).load(one)


def _kind(settings: ScreenSettings) -> Kind:
    return next(kind for kind in KINDS if isinstance(settings, kind.settings))
