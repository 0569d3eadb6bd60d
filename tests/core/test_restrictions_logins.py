"""Restrictions about who has logged in, and whose the sender is."""

from typing import Any

import pytest

from tests.support.restrictions import World, facts, judged, reply, said, settings, split
from ucspi_py.core.gate.restrictions.domains import parse_maps

OWNERS = {"a@far.example": "alice, Bob", "@own.example": "carol", "e@far.example": ""}
WORLD = World(tables={"hash:/owners": OWNERS, "hash:/users": {"alice": "REJECT no more", "bob": "OK"}})
OF_OTHERS = "553 5.7.1 <a@far.example>: Sender address rejected: not owned by user mallory"
OF_NOBODY = "553 5.7.1 <x@far.example>: Sender address rejected: not owned by user alice"
OF_STRANGERS = "553 5.7.1 <a@far.example>: Sender address rejected: not logged in"


def heard(restriction: str, login: str = "", sender: str = "a@far.example", **lists: Any) -> str:
    """What a client hears of one restriction of the sender list."""
    values: dict[str, Any] = {
        "sender": restriction,
        "smtpd_sasl_auth_enable": True,
        "smtpd_sender_login_maps": parse_maps(split("hash:/owners")),
    }
    return reply(facts(login=login.encode(), sender=sender), WORLD, **(values | lists))


def test_who_has_logged_in_is_permitted() -> None:
    """And nobody else."""
    lists = {"recipient": "permit_sasl_authenticated, reject"}

    assert reply(facts(login=b"alice"), **lists) == ""
    assert reply(facts(), **lists).startswith("554 5.7.1")


def test_a_login_is_no_network() -> None:
    """permit_mynetworks is of addresses."""
    assert reply(facts(login=b"alice"), recipient="permit_mynetworks, reject").startswith("554 5.7.1")


@pytest.mark.parametrize(
    ("restriction", "of_others", "of_nobody", "of_strangers"),
    [
        ("reject_sender_login_mismatch", OF_OTHERS, OF_NOBODY, OF_STRANGERS),
        ("reject_known_sender_login_mismatch", OF_OTHERS, "", OF_STRANGERS),
        ("reject_authenticated_sender_login_mismatch", OF_OTHERS, OF_NOBODY, ""),
        ("reject_unauthenticated_sender_login_mismatch", "", "", OF_STRANGERS),
    ],
)
def test_a_mismatch(restriction: str, of_others: str, of_nobody: str, of_strangers: str) -> None:
    """Of a user with another's address, of a user with an address of nobody, of a stranger with a user's."""
    assert heard(restriction, "mallory") == of_others
    assert heard(restriction, "alice", "x@far.example") == of_nobody
    assert heard(restriction) == of_strangers
    assert heard(restriction, "alice") == heard(restriction, "BOB") == ""
    assert heard(restriction, "carol", "any+ext@own.example") == ""
    assert heard(restriction, sender="x@far.example") == heard(restriction, "mallory", "") == ""


def test_without_a_table_nothing_is_anybodys() -> None:
    """smtpd_sender_login_maps is empty by default."""
    assert heard("reject_sender_login_mismatch", "mallory", smtpd_sender_login_maps=()) == ""


def test_a_table_that_is_broken_refuses_for_now() -> None:
    """Nobody is let pass by a file that is away."""
    lists = settings(
        sender="reject_sender_login_mismatch",
        smtpd_sasl_auth_enable=True,
        smtpd_sender_login_maps=parse_maps(split("hash:/owners")),
    )
    for login in (b"", b"mallory"):
        verdict = judged(lists, facts(login=login), World(tables={"hash:/owners": None}))
        assert said(verdict) == "451 4.3.0 <a@far.example>: Temporary lookup failure"


def test_a_table_about_users() -> None:
    """Of who has logged in, by the whole name."""
    check = "check_sasl_access hash:/users"

    assert heard(check, "alice") == "554 5.7.1 <alice>: SASL login name rejected: no more"
    assert heard(check, "Alice").startswith("554 5.7.1 <Alice>: SASL login name rejected")
    assert heard(check, "bob") == heard(check, "alice2") == heard(check) == ""


def test_the_tables_are_looked_at_before_the_first_client() -> None:
    """Those of owners, too."""
    owners = parse_maps(split("hash:/owners"))

    assert owners[0] in settings(smtpd_sender_login_maps=owners).tables
