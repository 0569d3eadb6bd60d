"""What tcprules compiled, as source again: both compilers make the same file of it."""

import random
from pathlib import Path

from tests.support.rules_tools import compiled_by_djb, compiled_by_ours, text
from ucspi_py.core.lint.syntax import is_refused
from ucspi_py.core.rules.dump import dump
from ucspi_py.system.rules.table import Table

_FILES = 100
_HEADS = [b"", b"1.2.3.4", b"1.2.", b"1.2-5.", b"10.0.0.0/8", b"10.0.0.0/9", b"=a-b.c", b"x@1.2.3.4", b"x@=a", b"01.2"]
_PIECES = [b"", b"", b"-3", b"1-2.", b"/", b" ", b"\t", b"=", b"@", b"#", b"\0", b"\xff", b"a"]
_TAILS = [b":deny", b":allow", b':allow,X="a"', b":deny,X='\"',Y=/\"'/", b':allow,X="a\0D"', b":allow, =1+1", b""]


def test_a_dump_of_a_file_of_djbs_compiles_to_that_file(tmp_path: Path) -> None:
    chance = random.Random(7)

    for _ in range(_FILES):
        lines = [
            chance.choice(_HEADS) + chance.choice(_PIECES) + chance.choice(_TAILS) for _ in range(chance.randrange(40))
        ]
        source = text([line for line in lines if not is_refused(line)])
        cdb = compiled_by_djb(source, tmp_path / "cdb")

        back = [line.text for line in dump(Table(str(cdb)).records())]

        assert None not in back, source
        again = text([line or b"" for line in back])
        assert compiled_by_ours(again, tmp_path / "ours").read_bytes() == cdb.read_bytes(), again
        assert compiled_by_djb(again, tmp_path / "djb").read_bytes() == cdb.read_bytes(), again
