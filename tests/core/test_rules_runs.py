"""Lines that are surely fine, told from the others by one regular expression."""

import itertools
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.programs import theirs
from ucspi_py.core.lint.line import line_findings
from ucspi_py.core.lint.runs import PlainBlock, Unusual, numbered, sorted_out

ROOT = Path(__file__).parents[2]
#: Every shape that the digits of an octet can have, and some that they cannot.
_OCTETS = b" 0 1 2 3 9 10 19 25 26 99 00 01 007 010 100 192 199 200 249 250 255 256 260 300 999 1000 2550".split(b" ")


def _shapes() -> list[bytes]:
    addresses = [b".".join(octets) for length in (1, 2, 3) for octets in itertools.product(_OCTETS, repeat=length)]
    addresses += [b"1.2.%b" % address for address in addresses if address.count(b".") == 1]
    return [b"%b:deny" % one for address in dict.fromkeys(addresses) for one in (address, address + b".")]


def _numbers_of_odd_lines(source: bytes) -> set[int]:
    return {number for number, _ in numbered([piece for piece in sorted_out(source) if isinstance(piece, Unusual)])}


def test_no_shape_of_an_address_is_taken_for_a_fine_one() -> None:
    """What has a flaw is looked at, whatever the digits and dots of its address."""
    lines = _shapes()

    odd = _numbers_of_odd_lines(b"\n".join(lines))

    assert {number for number, line in enumerate(lines, 1) if any(line_findings(number, line))} <= odd
    assert len(odd) < len(lines)


_OF_THE_SYSTEM = """
import sys
from ucspi_py.core.lint.lint import lint
print(*sorted({found.line for found in lint(sys.stdin.buffer.read()) if "never" in found.sentence}))
"""


def test_the_system_s_own_python_tells_them_too() -> None:
    """Debian 12 has CPython 3.11.2, where possessive quantifiers match too little (gh-106052)."""
    python, source = theirs("/usr/bin/python3"), b"\n".join(_shapes())
    if subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False).returncode:
        pytest.skip("the system's Python is too old for us")

    done = subprocess.run([python, "-c", _OF_THE_SYSTEM], input=source, capture_output=True, check=True, cwd=ROOT)

    assert set(map(int, done.stdout.split())) >= _numbers_of_flaws(source)


def _numbers_of_flaws(source: bytes) -> set[int]:
    return {
        found.line
        for number, line in enumerate(source.split(b"\n"), 1)
        for found in line_findings(number, line)
        if "never" in found.sentence
    }


def test_fine_lines_are_one_run_however_many_they_are() -> None:
    """Thousands are taken at a time, and nothing is lost between."""
    source = b"1.2.3.4:deny\n" * 3500 + b"# a\n\n" + b"=.example.org:allow\n" * 10

    assert sorted_out(source) == [PlainBlock(1, source)]


@pytest.mark.parametrize(
    "line",
    [
        b"1.2.3.4:allow" + b',X="a"' * 50_000 + b"!",
        b"=" + b"a." * 100_000 + b"!",
        b'1.2.3.4:allow,X="' + b"a" * 200_000,
        b"#" * 200_000 + b"\\r",
        b"1." * 100_000,
    ],
    ids=["variables", "labels", "value", "comment", "octets"],
)
def test_a_long_line_that_just_fails_costs_no_more_than_its_length(line: bytes) -> None:
    """Nothing is tried again and again from the end."""
    began = time.process_time()

    sorted_out(line + b"\n1.2.3.4:deny\n")

    assert time.process_time() - began < 0.5
