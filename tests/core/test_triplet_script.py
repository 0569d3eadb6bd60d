"""What is asked of records when somebody tries to deliver, and in which order."""

from typing import Any, TypeVar

import pytest

from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.attempt import Deferred, Passed, Verdict
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.changes import ClientKnown, ClientPass, ClientVisit, TripletVisit
from ucspi_py.core.greylist.triplet.script import KNOWN, LISTED, attempt, visit
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import NetworkKnown, Visit
from ucspi_py.core.smtp import verdict as smtp
from ucspi_py.core.store.change import Script

T = TypeVar("T")

USUAL = TripletSettings("")
NEVER = TripletSettings("", auto_whitelist_clients=0)
ALONE = TripletSettings("", auto_whitelist_clients=0, counts_networks=False)
NEW, AGAIN, FIRST = Deferred(300, True), Passed(b"triplet found"), Passed(b"triplet found", 310)
#: Under which key each is asked.
KEYS: dict[type[Any], str] = {
    **dict.fromkeys((ClientVisit, ClientPass, ClientKnown, NetworkKnown, Visit), "net"),
    TripletVisit: "triplet",
}
WAITS = smtp.Refuse(451, b"Greylisted, try again in 300 seconds")


def played(script: Script[T], answers: dict[type[Any], object]) -> tuple[T, list[type[Any]]]:
    """What it comes to, and what was asked. answers: to each kind of change."""
    asked = list[type[Any]]()
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
    assert played(attempt("triplet", "net", 1000, settings), answers) == (verdict, asked)


@pytest.mark.parametrize(
    ("answers", "verdict", "asked"),
    [
        ({Visit: smtp.Accept()}, smtp.Accept(), [Visit]),
        ({Visit: WAITS, ClientKnown: True}, smtp.Accept(), [Visit, ClientKnown]),
        ({Visit: WAITS, ClientKnown: False}, WAITS, [Visit, ClientKnown]),
    ],
)
def test_a_client_waits_for_its_network_and_for_no_triplet(
    answers: dict[type[Any], object], verdict: smtp.Verdict, asked: list[type[Any]]
) -> None:
    """That is asked of who would have to wait."""
    settings = GreylistSettings("", 300, 1_000, 10_000, NETWORK, 60)

    assert played(visit("net", 1000, settings), answers) == (verdict, asked)
