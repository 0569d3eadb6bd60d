"""Postfix's smtpd and our gate with the same lists, over the same name server: the same words for every command."""

import os

import pytest

from . import beside

WORLDS = int(os.environ.get("PEERS_LISTS", "2000")) // beside.OF_A_WORLD


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_same_lists_say_the_same(seed: int) -> None:
    """For every command, to the word; of what passes the code counts."""
    assert "\n".join(beside.differences(seed)) == ""
