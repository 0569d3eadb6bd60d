"""The milters of a configuration: its texts become GateMilters."""

from types import MappingProxyType

from ..language.configuration import Configuration
from ..restrictions.domains import parse_maps
from .parameters import CHECKS, DAEMON_NAME, DEFAULTS, LIST, MACROS_SUFFIX, MAPS, PREFIX, VERSION
from .service import parse_milters
from .settings import EVENTS, NAMES, GateMilters, MacroTexts, MilterSettings


def gate_milters(configuration: Configuration) -> GateMilters | None:
    """Make the milters of a configuration; None = there are none. Raises AskedWrongly with the place."""
    milters, maps = parse_milters(configuration.words(LIST)), parse_maps(configuration.words(MAPS))
    if not milters and not maps:
        return None
    checks = parse_maps(configuration.words(CHECKS))
    return GateMilters(milters, milter_settings(configuration), _texts(configuration), maps, checks)


def milter_settings(configuration: Configuration) -> MilterSettings:
    """Make what is asked of all milters. Raises AskedWrongly."""
    macros = {event: configuration.value(PREFIX + name + MACROS_SUFFIX) for name, event in EVENTS.items()}
    return MilterSettings(
        macros=MappingProxyType(macros),
        queue_directory=configuration.value("queue_directory"),
        **{name: configuration.value(PREFIX + name) for name in NAMES},
    )


def _texts(configuration: Configuration) -> MacroTexts:
    version = configuration.text(VERSION).encode("utf-8", "surrogateescape")
    return MacroTexts(configuration.pieces(DAEMON_NAME), version, configuration.value(DEFAULTS))
