"""What check_greylist does in a configuration: its texts become TripletSettings."""

from collections.abc import Sequence

from ...client.limits import Prefixes
from ...errors import AskedWrongly
from ...greylist.triplet.settings import TripletSettings
from ..language.configuration import Configuration
from ..restrictions.restriction import Restriction
from .parameters import CLIENTS, DELAY, HEADER, RECIPIENTS, TEXT, WINDOW


def triplet_settings(configuration: Configuration, restrictions: Sequence[Restriction]) -> TripletSettings:
    """Make the settings of check_greylist. restrictions: each of them in any list.

    Raises AskedWrongly for two stores, one of which would not know what the other does, and for times by which nobody
    would ever be let in.
    """
    first, *others = restrictions
    for one in others:
        if one.store != first.store:
            raise AskedWrongly(f"{one.where}: check_greylist has another store here than in {first.where}")
    delay, window = configuration.value(DELAY), configuration.value(WINDOW)
    if window <= delay:
        raise AskedWrongly(
            f"{configuration.where(WINDOW)}: {WINDOW} must be longer than {DELAY}, or nobody would ever be let in"
        )
    return TripletSettings(
        store=first.store,
        delay=delay,
        retry_window=window,
        max_age=configuration.value("greylist_max_age"),
        network=Prefixes(configuration.value("greylist_ipv4cidr"), configuration.value("greylist_ipv6cidr")),
        by_name=configuration.value("greylist_by_name"),
        auto_whitelist_clients=configuration.value("greylist_auto_whitelist_clients"),
        whitelist_clients=_files(configuration, CLIENTS),
        whitelist_recipients=_files(configuration, RECIPIENTS),
        text=configuration.value(TEXT),
        header=configuration.value(HEADER),
        max_size=configuration.value("greylist_max_size"),
    )


def _files(configuration: Configuration, name: str) -> tuple[str, ...]:
    return tuple(word.text for word in configuration.words(name))
