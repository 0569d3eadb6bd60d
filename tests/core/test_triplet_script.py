"""What is asked of records when somebody tries to deliver, and in which order."""

from typing import Any

import pytest

from ucspi_py.core.greylist.attempt import Deferred, Passed, Verdict
from ucspi_py.core.greylist.triplet.changes import ClientPass, ClientVisit, TripletVisit
from ucspi_py.core.greylist.triplet.script import KNOWN, LISTED, attempt
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import NetworkKnown

USUAL = TripletSettings("")
NEVER = TripletSettings("", auto_whitelist_clients=0)
ALONE = TripletSettings("", auto_whitelist_clients=0, counts_networks=False)
NEW, AGAIN, FIRST = Deferred(300, True), Passed(b"triplet found"), Passed(b"triplet found", 310)
#: Under which key each is asked.
KEYS: dict[type[Any], str] = {ClientVisit: "net", ClientPass: "net", NetworkKnown: "net", TripletVisit: "triplet"}


def played(settings: TripletSettings, answers: dict[type[Any], object]) -> tuple[Verdict, list[type[Any]]]:
    """What it comes to, and what was asked. answers: to each kind of change."""
    script, asked = attempt("triplet", "net", 1000, settings), list[type[Any]]()
    try:
        step = next(script)
        while True:
            kind = type(step.change)
            assert step.key == KEYS[kind]
            assert step.change.now == 1000
            asked.append(kind)
            step = script.send(answers[kind])
    except StopIteration as end:
        return end.value, asked


@pytest.mark.parametrize(
    ("settings", "answers", "verdict", "asked"),
    [
        (USUAL, {ClientVisit: True}, LISTED, [ClientVisit]),
        (
            USUAL,
            {ClientVisit: False, TripletVisit: NEW, NetworkKnown: False},
            NEW,
            [ClientVisit, TripletVisit, NetworkKnown],
        ),
        (
            USUAL,
            {ClientVisit: False, TripletVisit: NEW, NetworkKnown: True},
            KNOWN,
            [ClientVisit, TripletVisit, NetworkKnown],
        ),
        (USUAL, {ClientVisit: False, TripletVisit: AGAIN}, AGAIN, [ClientVisit, TripletVisit]),
        (
            USUAL,
            {ClientVisit: False, TripletVisit: FIRST, ClientPass: 4},
            FIRST,
            [ClientVisit, TripletVisit, ClientPass],
        ),
        (
            USUAL,
            {ClientVisit: False, TripletVisit: FIRST, ClientPass: 5},
            FIRST._replace(lists_client=True),
            [ClientVisit, TripletVisit, ClientPass],
        ),
        (NEVER, {TripletVisit: FIRST, ClientPass: 0}, FIRST, [TripletVisit, ClientPass]),
        (ALONE, {TripletVisit: FIRST}, FIRST, [TripletVisit]),
        (ALONE, {TripletVisit: NEW}, NEW, [TripletVisit]),
    ],
)
def test_three_changes_at_most(
    settings: TripletSettings, answers: dict[type[Any], object], verdict: Verdict, asked: list[type[Any]]
) -> None:
    """The client's record, the triplet's, and the network's or the client's once more."""
    assert played(settings, answers) == (verdict, asked)
