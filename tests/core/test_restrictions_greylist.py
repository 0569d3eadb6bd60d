"""check_greylist in restriction lists: it is evaluated last, and asked only about whom everything else lets in."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.restrictions import GREYLIST_STORE, OURS, World, facts, judged, path, reply, said, settings, split
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import settings as parsed
from ucspi_py.core.gate.restrictions.configured import restriction_settings
from ucspi_py.core.gate.restrictions.domains import parse_maps
from ucspi_py.core.gate.restrictions.facts import Facts, NameStatus, Stage
from ucspi_py.core.gate.restrictions.judgement import LogLine, with_headers
from ucspi_py.core.gate.restrictions.questions import GreylistQuestion, Visited
from ucspi_py.core.greylist.attempt import Attempt, Deferred, Passed
from ucspi_py.core.greylist.triplet.settings import TripletSettings

STORE = GREYLIST_STORE
GREYLIST = f"check_greylist {STORE}"
HEADER = b"X-Greylist: delayed 310 seconds by pysmtpgate-1 at mx.example; now"
NEW = Visited(Deferred(300, True))
LET_IN = Visited(Passed(b"triplet found", 310), HEADER)
DEFERRED = "450 4.2.0 <u@ours.example>: Recipient address rejected: Greylisted, try again in 300 seconds"


def visits(world: World) -> list[Attempt]:
    """The attempts that were asked about."""
    return [one.attempt for one in world.asked if isinstance(one, GreylistQuestion)]


def heard(client: Facts | None = None, world: World | None = None, /, **given: Any) -> tuple[str, list[Attempt]]:
    """What a client hears at its first attempt, and the attempts that were asked about."""
    world = world or World(greylist=NEW)
    return said(judged(settings(**given), client or facts(), world)), visits(world)


def test_who_has_not_come_before_is_asked_to_come_again() -> None:
    """In Postfix's words, with the code that postgrey chose for Exchange's sake."""
    told, asked = heard(recipient=f"permit_mynetworks, reject_unauth_destination, {GREYLIST}")

    assert told == DEFERRED
    assert asked == [Attempt(b"192.0.2.7", b"mx.far.example", b"mx.far.example", b"a@far.example", b"u@ours.example")]


def test_a_name_that_nobody_has_verified_is_none() -> None:
    """It would let a client choose under which domain it is known."""
    client = facts(name=b"unknown", name_status=NameStatus.FORGED, helo=None)

    assert heard(client, recipient=GREYLIST)[1][0][:3] == (b"192.0.2.7", b"", b"")


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        (f"{GREYLIST}, reject_unauth_destination", "554 5.7.1 <u@far.example>: Relay access denied"),
        (f"{GREYLIST}, defer", "450 4.3.2 <u@far.example>: Recipient address rejected: Try again later"),
        (
            f"{GREYLIST}, defer_if_permit",
            "450 4.7.0 <u@far.example>: Recipient address rejected: defer_if_permit requested",
        ),
        (f"{GREYLIST}, permit", DEFERRED.replace("ours", "far")),
    ],
)
def test_whatever_refuses_behind_it_comes_first(recipient: str, expected: str) -> None:
    """And leaves no record; a permit behind it does not spare."""
    told, asked = heard(facts(recipient="u@far.example"), recipient=recipient)

    assert told == expected
    assert len(asked) == ("Greylisted" in expected)


def test_who_is_in_no_table_of_users_leaves_no_record() -> None:
    """The look at unlisted recipients is before it."""
    known = World(greylist=NEW, tables={"hash:/users": {}})
    users = replace(OURS, local_recipient_maps=parse_maps(split("hash:/users")))

    told, asked = heard(None, known, relay=GREYLIST, destinations=users)

    assert told == "550 5.1.1 <u@ours.example>: Recipient address rejected: User unknown in local recipient table"
    assert asked == []


@pytest.mark.parametrize("where", ["client", "helo", "sender", "relay", "recipient"])
def test_in_each_list_it_waits_for_all_others(where: str) -> None:
    """A refusal of the recipient list is heard, also where it stands in the first list."""
    assert heard(**{where: GREYLIST})[0] == DEFERRED
    told, asked = heard(**{where: GREYLIST} | {"recipient": f"{GREYLIST}, reject"})
    assert told.startswith("554 5.7.1 ")
    assert asked == []


@pytest.mark.parametrize(
    "spared", [{"relays": True}, {"login": b"u"}, {"certified": True}, {"ungreylisted": True}], ids=str
)
def test_who_is_trusted_is_not_asked_about(spared: dict[str, Any]) -> None:
    """A relay, a login, a certificate, and GREYLIST="" of a rule."""
    assert heard(facts(**spared), recipient=GREYLIST) == ("", [])


def test_the_bare_postmaster_is_not_asked_about() -> None:
    """RFC 5321, 4.5.1: as of all lists."""
    assert heard(facts(recipient=path("postmaster")), recipient=GREYLIST) == ("", [])


def test_what_is_thrown_away_is_not_asked_about() -> None:
    """It comes to nobody's mailbox."""
    table = World(greylist=NEW, tables={"hash:/t": {"a@far.example": "DISCARD"}})

    assert heard(None, table, sender="check_sender_access hash:/t", recipient=GREYLIST) == ("", [])


@pytest.mark.parametrize("stage", [Stage.DATA, Stage.END_OF_MESSAGE, Stage.CONNECT, Stage.MAIL])
def test_there_is_nobody_to_ask_about_at_other_commands(stage: Stage) -> None:
    """Nor at these."""
    told = heard(facts(stage), smtpd_delay_reject=False, client=GREYLIST, sender=GREYLIST, data=GREYLIST)

    assert told == ("", [])


def test_who_has_waited_is_let_in_with_a_header() -> None:
    """Postgrey's words of why stand in the log."""
    found = judged(settings(recipient=GREYLIST), facts(), World(greylist=LET_IN))

    assert (found.reply, found.prepend) == (None, (HEADER,))
    assert found.lines == (LogLine(b"info", b"action=pass, reason=triplet found, delay=310"),)


@pytest.mark.parametrize(
    ("visit", "expected"),
    [
        (NEW, b"action=greylist, reason=new"),
        (Visited(Deferred(1, False)), b"action=greylist, reason=early-retry (1s missing)"),
        (Visited(Passed(b"client AWL")), b"action=pass, reason=client AWL"),
    ],
)
def test_the_log_says_why(visit: Visited, expected: bytes) -> None:
    """In postgrey's words."""
    found = judged(settings(recipient=GREYLIST), facts(), World(greylist=visit))

    assert found.lines[0] == LogLine(b"info", expected)


def test_who_cannot_be_asked_about_is_let_in() -> None:
    """No visit, no refusal."""
    assert reply(None, World(), recipient=GREYLIST) == ""


def test_behind_warn_if_reject_nobody_waits() -> None:
    """The log has what would be said, and no header claims a wait."""
    rehearsal = settings(recipient=f"warn_if_reject {GREYLIST}, reject_unauth_destination")
    found, passed = (judged(rehearsal, facts(), World(greylist=one)) for one in (NEW, LET_IN))

    assert found.reply is None
    assert found.lines[1] == LogLine(b"reject_warning", DEFERRED.encode())
    assert passed.prepend == ()


def test_one_that_is_to_refuse_counts_before_one_that_only_warns() -> None:
    """Whatever their order is."""
    assert heard(sender=f"warn_if_reject {GREYLIST}", recipient=GREYLIST)[0] == DEFERRED
    assert heard(relay=GREYLIST, recipient=f"warn_if_reject {GREYLIST}")[0] == DEFERRED


def test_a_class_of_a_table_has_whom_it_names_wait() -> None:
    """The guides' greylisting for some clients only."""
    table = World(greylist=NEW, tables={"cidr:/t": {"192.0.2.7": "grey"}})
    client = {"recipient": "check_client_access cidr:/t", "classes": {"grey": GREYLIST}}

    assert heard(None, table, **client)[0] == DEFERRED


def test_a_table_names_no_store_of_its_own() -> None:
    """What no list names was not opened at the start."""
    table = World(tables={"hash:/t": {"a@far.example": "check_greylist /tmp/other"}})
    found = judged(settings(sender="check_sender_access hash:/t", recipient=GREYLIST), facts(), table)

    assert said(found) == "451 4.3.5 Server configuration error"
    assert b"name a restriction class there" in found.lines[0].text


def test_the_texts_are_filled_in() -> None:
    """%s and %r."""
    told = settings(recipient=GREYLIST, greylist=TripletSettings(STORE, text=b"in %s s: %r"))

    assert said(judged(told, facts(), World(greylist=NEW))).endswith(": in 300 s: ours.example")


@pytest.mark.parametrize("header", [HEADER, HEADER.replace(b"X-Greylist", b"X-Late")])
def test_one_header_tells_of_all_waits(header: bytes) -> None:
    """Whatever its name is. Other headers may stand there twice, as with Postfix."""
    found, later = (
        judged(settings(recipient=GREYLIST), facts(), World(greylist=Visited(LET_IN.verdict, one)))
        for one in (header, header.replace(b"310", b"320"))
    )
    headers = with_headers((b"X-A: b", *found.prepend), (b"X-A: b", *later.prepend), later.once)

    assert headers == (b"X-A: b", header, b"X-A: b")


def test_what_is_to_stand_there_once_may_begin_as_another_does() -> None:
    """Two answers of a policy service about two recipients."""
    once = frozenset((b"X-A: b\n", b"X-A: bc\n"))

    assert with_headers((b"X-A: bc",), (b"X-A: b", b"X-A: bc"), once) == (b"X-A: bc", b"X-A: b")


MAIN_CF = f"""compatibility_level = 3.6
myhostname = mx.ours.example
smtpd_recipient_restrictions = {GREYLIST}
"""


def read(more: str = "") -> TripletSettings | None:
    """What check_greylist is of a main.cf."""
    return restriction_settings(Configuration(parsed("main.cf", MAIN_CF + more))).greylist


def test_its_parameters_have_the_units_of_postfix() -> None:
    """And postgrey's defaults."""
    more = """greylist_delay = 1m
greylist_retry_window = 1d
greylist_max_age = 5w
greylist_ipv4cidr = 28
greylist_whitelist_clients = /etc/postfix/a, /etc/postfix/b
greylist_by_name = no
greylist_text = Later, %r
greylist_max_size = 4G
"""
    usual, found = read(), read(more)

    assert usual is not None
    assert found is not None
    assert (usual.delay, usual.retry_window, usual.max_age, usual.auto_whitelist_clients) == (300, 172800, 3024000, 5)
    assert (usual.network.ipv4, usual.network.ipv6, usual.by_name) == (24, 64, True)
    assert (found.delay, found.retry_window, found.max_age, found.network.ipv4) == (60, 86400, 3024000, 28)
    assert (found.whitelist_clients, found.by_name) == (("/etc/postfix/a", "/etc/postfix/b"), False)
    assert found.text == b"Later, %r"
    assert (usual.max_size, found.max_size) == (1 << 30, 4 << 30)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("smtpd_sender_restrictions = check_greylist /other/db", "check_greylist has another store here than in"),
        ("greylist_retry_window = 5m", "main.cf line 4: greylist_retry_window must be longer than greylist_delay"),
        ("smtpd_sender_restrictions = check_greylist", "check_greylist must be followed by a store"),
        ("smtpd_sender_restrictions = check_greylist permit", "check_greylist must be followed by a store"),
        ("smtpd_sender_restrictions = check_greylist redis://:secret@h/x", "the database x is no number"),
        ("greylist_max_size = 4T", "greylist_max_size must be a number of bytes from 1M up"),
        ("greylist_delay = soon", "greylist_delay must be a time"),
        ("greylist_header = delayed %t seconds", "greylist_header must be a header, as in X-Greylist: delayed"),
    ],
)
def test_a_gate_does_not_start_with_what_cannot_be_meant(more: str, expected: str) -> None:
    """The message never repeats a password."""
    with pytest.raises(AskedWrongly) as refused:
        Configuration(parsed("main.cf", MAIN_CF + more)).gate_settings()
        read(more)
    assert expected in refused.value.sentence
    assert "secret" not in refused.value.sentence
