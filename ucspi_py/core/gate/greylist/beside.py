"""pygreylist and check_greylist in one chain: what one lets in, the other must know of, or mail waits twice."""

from collections.abc import Iterable

from ...greylist.settings import GreylistSettings
from ...greylist.triplet.settings import TripletSettings


def flaw(screens: Iterable[object], settings: TripletSettings) -> str | None:
    """Tell what keeps one from knowing whom the other has let in; None = nothing. screens: those before the gate.

    No store is repeated: it may hold a password.
    """
    for screen in screens:
        if not isinstance(screen, GreylistSettings):
            continue
        if screen.store != settings.store:
            return "mail would wait twice: pygreylist and check_greylist have different stores; name one, in one way"
        if screen.network != settings.network:
            lengths = (*screen.network, *settings.network)
            return (
                "mail would wait twice: -n of pygreylist is {}/{}, greylist_ipv4cidr is {} and greylist_ipv6cidr {}"
            ).format(*lengths)
    return None
