"""What lint calls an error is what tcprules refuses."""

import random
import subprocess
from pathlib import Path

from tests.support.programs import theirs
from ucspi_py.core.lint.line import line_findings
from ucspi_py.core.rules.source import network_rule

_PIECES = [b"1", b".", b"-", b"=", b"a", b"@", b"/", b":", b"#", b" ", b"\t", b"\0", b'"', b",", b"X=", b"\xff"]
_PIECES += [b":deny", b":allow", b',X="y"', b"1.2.3.", b"1-2"]
_LINES = 1000


def test_a_line_is_an_error_exactly_if_tcprules_refuses_it(tmp_path: Path) -> None:
    chance = random.Random(4)
    command = [theirs("tcprules"), str(tmp_path / "cdb"), str(tmp_path / "tmp")]
    refused = 0

    for _ in range(_LINES):
        line = b"".join(chance.choice(_PIECES) for _ in range(chance.randrange(9)))
        done = subprocess.run(command, input=line + b"\n", capture_output=True, check=False)
        found = [one for one in line_findings(1, line) if one.error]

        assert bool(found) == (done.returncode == 100 and not network_rule(line)), (line, done, found)
        refused += bool(found)

    assert _LINES / 10 < refused < _LINES * 9 / 10
