"""The header and body checks of a configuration: its texts become ContentSettings."""

from typing import Any

from ..language.configuration import Configuration
from ..language.content_parameters import CHECKS, PARAMETERS
from ..restrictions.domains import parse_maps
from .settings import ContentSettings


def content_settings(configuration: Configuration) -> ContentSettings | None:
    """Make the checks of a configuration; None = there are none.

    Raises AskedWrongly with the place of what is wrong, as of a table that the gate cannot read.
    """
    maps: dict[str, Any] = {name: parse_maps(configuration.words(name)) for name in CHECKS}
    if not any(maps.values()):
        return None
    limits = {one.name: configuration.value(one.name) for one in PARAMETERS if one.name not in CHECKS}
    return ContentSettings(**maps, **limits, line_length_limit=configuration.value("line_length_limit"))
