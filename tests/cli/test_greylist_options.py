"""The options of pygreylist that are wrong: refused in words that repeat no password."""

from collections.abc import Sequence

import click
import pytest

from ucspi_py.cli.chain import program
from ucspi_py.core.greylist.settings import GreylistSettings


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("true",),
        ("-s",),
        ("-s", "", "true"),
        ("-s", "db"),
        ("-s", "db", "-d", "0", "true"),
        ("-s", "db", "-d", "5m", "true"),
        ("-s", "db", "-d", "300", "-w", "300", "true"),
        ("-s", "db", "-m", "0", "true"),
        ("-s", "db", "-n", "0", "true"),
        ("-s", "db", "-n", "33", "true"),
        ("-s", "db", "-n", "24/129", "true"),
        ("-s", "db", "-n", "24/64/1", "true"),
        ("-s", "db", "-z", "true"),
        ("-s", "db", "--max-size", "1023K", "true"),
        ("-s", "http://s3cret@127.0.0.1/", "true"),
        ("-s", "redis://:s3cret@", "true"),
        ("-s", "redis://:s3cret@host:port/0", "true"),
        ("-s", "redis://:s3cret@host:0/0", "true"),
        ("-s", "unix://:s3cret@", "true"),
        ("-s", "redis://:s3cret@h/abc", "true"),
    ],
    ids=str,
)
def test_options_that_are_wrong(words: Sequence[str]) -> None:
    with pytest.raises(click.UsageError) as refused:
        program.read_options(program.GREYLIST, list(words))

    assert "s3cret" not in refused.value.format_message()


@pytest.mark.parametrize(("words", "expected"), [((), 1 << 30), (("--max-size", "500M"), 500 << 20)], ids=str)
def test_how_large_the_store_may_grow(words: Sequence[str], expected: int) -> None:
    """1 GiB, unless it is said."""
    read = program.read_options(program.GREYLIST, ["-s", "db", *words, "true"])

    assert [screen.max_size for screen in read.screens if isinstance(screen, GreylistSettings)] == [expected]
