"""The short form of tests/fuzz.py."""

import random

import pytest

from tests.fuzz import fuzz_dialogues, fuzz_packets

SEED = random.randrange(10**9)


@pytest.mark.parametrize("seed", [SEED])
def test_packets(seed: int) -> None:
    """Some thousands of them; all that can become of a packet becomes of some."""
    fates = fuzz_packets(5000, random.Random(seed))

    assert {"no answer", "truncated", "listed", "found", "absent", "failed"} <= set(fates)


@pytest.mark.parametrize("seed", [SEED])
def test_dialogues(seed: int) -> None:
    """Some thousands of them, which end in every way there is."""
    ends = fuzz_dialogues(3000, random.Random(seed))

    assert {"talks on", "221 rblsmtpd.local", "500 line too long", "421 this is an SMTP server"} <= set(ends)
    assert any("too many" in end for end in ends)
