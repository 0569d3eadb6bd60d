"""Whether the keys of a configuration can be used, by whoever asks. Never serves anybody with them."""

from ....core.errors import AskedWrongly, Failure
from ....core.gate.check.subject import Keys
from ....core.gate.language.configuration import Configuration
from ....core.gate.tls.configured import gate_tls
from ....core.tls.settings import TlsSettings
from ...tls.contexts import Contexts
from ...tls.keys import KeyFiles
from ..tls.server_names import server_names


def look(configuration: Configuration) -> Keys:
    """Try what a start would, and find what is wrong with it."""
    try:
        found = gate_tls(configuration, server_names)
        return Keys() if found is None else _tried(found.tls)
    except (AskedWrongly, Failure) as wrong:
        return Keys(wrong.sentence)


def _tried(settings: TlsSettings) -> Keys:
    """Raises Failure."""
    warnings: list[str] = []
    Contexts(settings, warnings.append).use(KeyFiles(settings.pairs).changed() or ())
    return Keys(warnings=tuple(warnings))
