"""A log on standard input: plain, compressed, or both by turns."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.errors import Failure
from ucspi_py.system.rules.log_input import lines


class Slow(io.BytesIO):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read1(self, size: int | None = -1, /) -> bytes:
        """So many bytes and no more."""
        return super().read1(min(self._step, size or 0))


_LINES = st.lists(st.binary(max_size=9).map(lambda line: line.translate(None, b"\n\x1f")), min_size=1, max_size=5)


@given(st.lists(st.tuples(_LINES, st.booleans()), max_size=6), st.integers(1, 30))
def test_compressed_files_may_stand_between_plain_ones(files: list[tuple[list[bytes], bool]], step: int) -> None:
    """As ``cat @*.gz current`` gives them, however the pipe cuts it."""
    texts = [(b"".join(line + b"\n" for line in file), packed) for file, packed in files]
    data = b"".join(gzip.compress(text) if packed else text for text, packed in texts)

    assert list(lines(Slow(data, step))) == [line for file, _ in files for line in file]


@given(st.binary(max_size=50).map(lambda data: data.replace(b"\x1f\x8b", b"")), st.integers(1, 10))
def test_a_last_line_without_its_newline_counts(data: bytes, step: int) -> None:
    """Nothing is lost and nothing made up."""
    whole = data.split(b"\n")

    assert list(lines(Slow(data, step))) == (whole if whole[-1] else whole[:-1])


def test_a_line_without_end_is_cut() -> None:
    """Its rest is passed over: no piece of it is taken for a line of its own."""
    data = b"x" * 1_000_000 + b"tcpserver: pid 7 from 6.6.6.6\nb\n" + b"y" * 1_000_000

    first, second, last = lines(io.BytesIO(data))

    assert (first, second, last) == (b"x" * 65_536, b"b", b"y" * 65_536)


def test_what_was_packed_tightly_is_unpacked_piece_by_piece() -> None:
    """What is large when it is unpacked does not have to fit into memory, a long line included."""
    data = gzip.compress(b"a\n" * 500_000 + b"b" * 20_000_000 + b"\nc\n")

    assert [len(line) for line in lines(io.BytesIO(data))] == [1] * 500_000 + [65_536, 1]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: data[:-1], "unable to read input: gzip data is cut off"),
        (lambda data: data[:12], "unable to read input: gzip data is cut off"),
        (lambda data: data[:30] + b"\0\0\0" + data[33:], "unable to read input: damaged gzip data"),
        (lambda data: data[:2] + b"xx", "unable to read input: damaged gzip data"),
    ],
)
def test_damaged_data_is_a_failure(damage: object, sentence: str) -> None:
    """A log that is half read would say that half of the clients are not there."""
    assert callable(damage)
    data = damage(gzip.compress(bytes(range(256)) * 9))

    with pytest.raises(Failure, match=sentence) as failure:
        list(lines(io.BytesIO(data)))

    assert failure.value.exit_code == 111
