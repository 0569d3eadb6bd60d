"""The words of restriction lists, and what the gate does not start with."""

import time

import pytest

from tests.support.restrictions import settings, split
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import words as language_words
from ucspi_py.core.gate.language.words import Fragment, Word
from ucspi_py.core.gate.restrictions.names import NEEDS, OLD_NAMES, Needs
from ucspi_py.core.gate.restrictions.parse import parse_classes, parse_list
from ucspi_py.core.gate.restrictions.relay_check import check_relay
from ucspi_py.core.gate.restrictions.restriction import TABLE

ARGUMENTS = {
    Needs.NOTHING: "",
    Needs.TABLE: " hash:/t",
    Needs.ZONE: " bl.example",
    Needs.SECONDS: " 5",
    Needs.STORE: " /g/db",
    Needs.SERVICE: " unix:private/policy",
}


def flaw(text: str, **more: bool) -> str:
    """The sentence with which a list is refused."""
    with pytest.raises(AskedWrongly) as refused:
        parse_list(split(text, "main.cf line 7"), ("greedy",), **more)
    return refused.value.sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" a, b\tc\n d ,,", ["a", "b", "c", "d"]),
        ("x inline:{a=b, c = d} y", ["x", "inline:{a=b, c = d}", "y"]),
        ("inline:{ {a = b}, {c = d} }, y", ["inline:{ {a = b}, {c = d} }", "y"]),
        ("{ a, b", ["{ a, b"]),
        ("a} b", ["a}", "b"]),
    ],
)
def test_a_list_is_split_at_commas_and_blanks(text: str, expected: list[str]) -> None:
    """What is in braces stays together (mystrtok.c)."""
    assert [word.text for word in split(text, "")] == expected


@pytest.mark.parametrize("name", NEEDS)
def test_every_name_is_a_restriction_in_any_case(name: str) -> None:
    """With what it needs behind it."""
    text = name + ARGUMENTS[NEEDS[name]] + " permit"

    assert [one.name for one in parse_list(split(text, ""))] == [name, "permit"]
    assert [one.name for one in parse_list(split(text.replace(name, name.upper()), ""))] == [name, "permit"]


@pytest.mark.parametrize(("name", "argument"), [(n, ARGUMENTS[k]) for n, k in NEEDS.items() if k is not Needs.NOTHING])
def test_a_name_without_what_it_needs_is_refused(name: str, argument: str) -> None:
    """Postfix says so when the first client comes, or passes it over."""
    assert f"{name} must be followed by" in flaw(name)
    if argument == " hash:/t":
        assert f"{name} must be followed by" in flaw(f"{name} /t")


@pytest.mark.parametrize("name", OLD_NAMES)
def test_an_old_name_is_the_new_one(name: str) -> None:
    """Postfix takes these."""
    text = name + ARGUMENTS[NEEDS[OLD_NAMES[name]]]

    assert [one.name for one in parse_list(split(text, ""))] == [OLD_NAMES[name]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("permit, reject_unauth_pipeling", "the nearest is reject_unauth_pipelining"),
        ("permit_my_networks", "the nearest is permit_mynetworks"),
        ("greedi", "the nearest is greedy"),
        ("GREEDY", "there is no restriction 'GREEDY'"),
        ("reject # why", "there is no restriction '#'; write a comment on a line of its own"),
        ("reject #why", "there is no restriction '#why'; write a comment on a line of its own"),
        (
            "permit, \\ reject",
            "there is no restriction '\\'; leave the backslash out: a line continues the one above by",
        ),
        ('"permit, reject"', "there is no restriction '\"permit'; leave the quotes out"),
        ("permit; reject", "there is no restriction 'permit;'; divide restrictions by blanks or commas"),
        ("{ permit, reject }", "leave the braces out"),
        ("check_client_access /t", "must be followed by a table, type:name, as in hash:/etc/postfix/access"),
        ("reject_unverified_sender", "the gate asks no other server about an address"),
        ("reject_maps_rbl", "use reject_rbl_client"),
        ("check_relay_domains", "use reject_unauth_destination"),
        ("permit_mx_backup", "list the domains in relay_domains"),
        ("check_client_access mysql:/t", "the gate asks no database"),
        ("mysql:/t", "the gate asks no database"),
        ("reject_rbl_client 192.0.2.1", "an address is no zone"),
        ("reject_rbl_client bl.example=127.0.0.300", "must be numbers up to 255"),
        ("reject_rbl_client a@bl.example", "must be name or name=codes"),
        ("sleep soon", "sleep must be followed by a number"),
        ("permit, warn_if_reject", "behind warn_if_reject nothing follows"),
    ],
)
def test_what_postfix_would_not_do_is_refused_with_its_place(text: str, expected: str) -> None:
    """It would answer 451 4.3.5 to every client, or leave it out."""
    assert flaw(text).startswith("main.cf line 7: ")
    assert expected in flaw(text)


def test_each_word_has_its_own_place() -> None:
    """A list goes on over several lines."""
    with pytest.raises(AskedWrongly, match=r"^main\.cf line 9: "):
        parse_list([Word("permit", "main.cf line 7"), Word("permti", "main.cf line 9")])


def test_a_bare_table_is_the_lists_own_check() -> None:
    """Not where there is none."""
    assert parse_list(split("hash:/t", ""))[0].name == TABLE
    assert "before the table hash:/t" in flaw("hash:/t", takes_bare_tables=False)


def test_a_class_must_have_a_list_and_an_end() -> None:
    """Postfix does not start without the one, and dies of the other."""
    with pytest.raises(AskedWrongly, match="needs a definition"):
        parse_classes({"empty": []})
    with pytest.raises(AskedWrongly, match="class one holds itself"):
        parse_classes({"one": split("permit, two", "main.cf line 3"), "two": split("one", "")})


@pytest.mark.parametrize(
    ("relay", "recipient", "passes"),
    [
        ("reject_unauth_destination", "", True),
        ("", "permit_mynetworks, defer_unauth_destination", True),
        ("defer_if_permit", "", True),
        ("", "strict", True),
        ("", "", False),
        ("permit_mynetworks", "reject_unlisted_recipient", False),
        ("", "permit, reject_unauth_destination", False),
        ("", "warn_if_reject reject_unauth_destination", False),
        ("", "warn_if_reject reject_unauth_destination, REJECT", True),
        ("", "mild, permit", False),
    ],
)
def test_lists_without_a_relay_check_do_not_start(relay: str, recipient: str, passes: bool) -> None:
    """As of Postfix's smtpd (smtpd_check_init)."""
    classes = {"strict": "permit_mynetworks, reject", "mild": "permit_mynetworks"}
    lists = settings(classes, relay=relay, recipient=recipient)

    if passes:
        check_relay(lists)
    else:
        with pytest.raises(AskedWrongly, match="reject_unauth_destination"):
            check_relay(lists)


def test_a_table_of_many_lines_in_a_list_is_split_in_time() -> None:
    """Each character is looked at once: what spamdyke had in files of 50,000 lines stands in main.cf itself."""
    table = "inline:{" + "{192.0.2.1 = REJECT} " * 60_000 + "}"
    before = time.process_time()

    words = language_words.split(
        [Fragment(f"check_client_access {table}", "main.cf line 1"), Fragment(", reject", "main.cf line 2")]
    )

    assert words == (
        Word("check_client_access", "main.cf line 1"),
        Word(table, "main.cf line 1"),
        Word("reject", "main.cf line 2"),
    )
    assert time.process_time() - before < 5
