"""The source of a lookup table -> a cdb beside it, as ``postmap cdb:SOURCE`` makes it. Never looks a key up."""

import os

from ...core.errors import CorruptRules, Failure, unable
from ...core.gate.maps.indexed import indexed_table
from ...core.gate.maps.table import Flaw
from ..rules.whole_file import read_whole
from ..rules.write import write


def compile_map(source: str) -> tuple[Flaw, ...]:
    """Write SOURCE.cdb by way of SOURCE.cdb.tmp -> what Postfix would warn of. Raises Failure.

    Whoever may not read the source may not read the cdb either.
    """
    try:
        table = indexed_table(read_whole(source)[0])
        hidden = ~os.stat(source).st_mode & 0o077
    except OSError as error:
        raise unable(f"read {source}", error) from None
    except CorruptRules as corrupt:
        raise Failure(f"unable to read {source}: {corrupt.sentence}") from None
    mask = os.umask(0o022 | hidden)
    try:
        write(f"{source}.cdb", f"{source}.cdb.tmp", table.values.items())
    finally:
        os.umask(mask)
    return table.flaws
