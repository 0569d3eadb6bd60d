"""A client whose name servers are slow, and zones that say nothing: what the gate does without them."""

from pathlib import Path

import pytest

from tests.support.gate_room import BEGIN, Room, play
from tests.support.restrictions import split
from ucspi_py.core.gate.restrictions.parse import parse_list
from ucspi_py.core.gate.restrictions.settings import RestrictionSettings
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.system.gate.lists import session_lists
from ucspi_py.system.gate.lists.lookups import Ways


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate waits for nobody for long."""
    monkeypatch.setattr(session_lists, "_PATIENCE", 0.1)
    monkeypatch.setattr(session_lists, "_GRACE", 0.05)


def _silent() -> Ways:
    """Name servers and zones that never answer."""
    return Ways(lambda *_question: None, lambda *_question: None)


def test_who_has_to_wait_is_not_spared_by_slow_name_servers(tmp_path: Path) -> None:
    """A client has its name servers in its own hands: however long they take, its attempt is noted and deferred."""
    store = str(tmp_path / "db")
    lists = RestrictionSettings(
        smtpd_recipient_restrictions=parse_list(split(f"reject_rbl_client bl.example.org, check_greylist {store}")),
        greylist=TripletSettings(store=store),
    )

    async def story(room: Room) -> None:
        guest = await room.guest()
        assert await guest.ask(*BEGIN) == (
            b"450 4.2.0 <r@example.org>: Recipient address rejected: Greylisted, try again in 300 seconds"
        )
        await room.gate.close()

    play(Room(tmp_path, restrictions=lists, ways=_silent), story)
