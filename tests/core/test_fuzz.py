"""The short form of tests/fuzz.py."""

import random
from collections.abc import Callable

import pytest

from tests.fuzz import fuzz_dialogues, fuzz_packets
from tests.fuzz_gate import fuzz_sessions
from tests.fuzz_milter import fuzz_milters
from tests.fuzz_milter_gate import fuzz_milted_gate
from tests.fuzz_proxy import fuzz_headers
from ucspi_py.system.gate.milter import session_milter
from ucspi_py.system.gate.milter.client_milters import ClientMilters

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


@pytest.mark.parametrize("seed", [SEED])
def test_sessions(seed: int) -> None:
    """Some thousands of sessions of the gate; messages reach the backend or are refused, and all ends are met."""
    fates = fuzz_sessions(3000, random.Random(seed))

    assert {"message taken", "message refused", "normalized"} <= set(fates)
    assert {"quit", "talks on", "lost connection", "improper pipelining", "not SMTP", "early talker"} <= set(fates)
    assert {"too many errors", "hangup"} <= set(fates)


@pytest.mark.parametrize("seed", [SEED])
def test_headers(seed: int) -> None:
    """Some thousands of headers of proxies, of each kind, good and bad."""
    fates = fuzz_headers(5000, random.Random(seed))

    assert {"header", "TLS", "local", "flaw", "more"} <= set(fates)


@pytest.mark.parametrize("seed", [SEED])
def test_milters(seed: int) -> None:
    """Some thousands of clients of filters that say anything; all that can become of an event becomes of some."""
    fates = fuzz_milters(1500, random.Random(seed))

    assert {"agreed", "not agreed", "failed", "refused", "changed", "goes on", "is taken and thrown away"} <= set(fates)


@pytest.mark.parametrize("seed", [SEED])
def test_milted_gate(seed: int) -> None:
    """Some hundreds of clients of a gate behind such filters; some messages pass, and some are refused."""
    fates = fuzz_milted_gate(500, random.Random(seed))

    assert {"taken", "250", "421", "451", "500", "550", "554"} <= set(fates)


@pytest.mark.parametrize(
    ("place", "name", "nothing"),
    [
        (session_milter, "reply_for", lambda *_failed: None),
        (ClientMilters, "dropped", lambda _milters: None),
    ],
    ids=["a default action is lost", "no message is ended"],
)
def test_a_milted_gate_with_a_fault(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, nothing: Callable[..., None]
) -> None:
    """It lets a message pass, which is seen."""
    monkeypatch.setattr(place, name, nothing)

    with pytest.raises(AssertionError, match="seed"):
        fuzz_milted_gate(2000, random.Random(7))
