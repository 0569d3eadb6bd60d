"""The table of server names (tls_server_sni_maps): all of it, as there is a certificate for each."""

import os
from collections.abc import Iterable

from ....core.errors import AskedWrongly, CorruptRules, Failure, unable
from ....core.gate.maps.indexed import IndexedTable, indexed_table
from ....core.gate.maps.names import INDEXED, MapName, parse_map_name
from ....core.gate.maps.unfiled import inline_table
from ...rules.whole_file import read_whole

_KINDS = ("texthash", *INDEXED)


def server_names(word: str) -> Iterable[tuple[str, str]]:
    """Read names and the files that each has. word: the table's name, type:name. Raises AskedWrongly, Failure."""
    try:
        name = parse_map_name(word)
    except ValueError as wrong:
        raise AskedWrongly(str(wrong)) from None
    return [(os.fsdecode(key), os.fsdecode(value)) for key, value in _table(name).values.items()]


def _table(name: MapName) -> IndexedTable:
    if name.kind == "inline":
        return inline_table(os.fsencode(name.path_or_text))
    if name.kind not in _KINDS:
        raise AskedWrongly(f"table {name}: server names stand in a table of keys: {', '.join(_KINDS)} or inline")
    try:
        return indexed_table(read_whole(name.path_or_text)[0])
    except OSError as error:
        raise unable(f"read {name.path_or_text}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {name.path_or_text}: {corrupt.sentence}") from None
