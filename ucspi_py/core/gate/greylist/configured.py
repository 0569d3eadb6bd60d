"""What check_greylist does in a configuration: its texts become TripletSettings."""

from ...client.limits import Prefixes
from ...errors import AskedWrongly
from ...greylist.triplet.settings import TripletSettings
from ..language.configuration import Configuration
from .parameters import CLIENTS, DELAY, HEADER, RECIPIENTS, TEXT, WINDOW


def triplet_settings(configuration: Configuration, store: str) -> TripletSettings:
    """Make the settings of check_greylist. store: of its records.

    Raises AskedWrongly for times by which nobody would ever be let in.
    """
    delay, window = configuration.value(DELAY), configuration.value(WINDOW)
    if window <= delay:
        raise AskedWrongly(
            f"{configuration.where(WINDOW)}: {WINDOW} must be longer than {DELAY}, or nobody would ever be let in"
        )
    return TripletSettings(
        store=store,
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
