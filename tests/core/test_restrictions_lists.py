"""How the verdicts of restrictions combine (smtpd_check.c, generic_checks and smtpd_check_reject)."""

import pytest

from tests.support.restrictions import World, facts, judged, path, reply, said, settings
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.restrictions.facts import Stage
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.restrictions.questions import DnsFailure

DENIED = "554 5.7.1 <u@ours.example>: Recipient address rejected: Access denied"
REQUESTED = "450 4.7.0 <u@ours.example>: Recipient address rejected: defer_if_permit requested"


def test_empty_lists_let_mail_for_us_pass() -> None:
    """Nothing is asked and nothing is refused."""
    world = World()

    assert reply(None, world) == ""
    assert world.asked == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("client", "554 5.7.1 <mx.far.example[192.0.2.7]>: Client host rejected: Access denied"),
        ("helo", "554 5.7.1 <mx.far.example>: Helo command rejected: Access denied"),
        ("sender", "554 5.7.1 <a@far.example>: Sender address rejected: Access denied"),
        ("relay", DENIED),
        ("recipient", DENIED),
    ],
)
def test_each_list_says_what_it_is_about(name: str, expected: str) -> None:
    """The value and its class stand in the reply."""
    assert reply(**{name: "reject"}) == expected


def test_the_first_list_that_refuses_is_heard() -> None:
    """Client, HELO, sender, relay, recipient."""
    lists = {"relay": "reject", "recipient": "reject", "sender": "defer", "helo": "permit", "client": "permit"}

    assert reply(**lists) == "450 4.3.2 <a@far.example>: Sender address rejected: Try again later"


def test_the_recipient_list_can_be_before_the_relay_list() -> None:
    """Postfix before compatibility level 3.6."""
    lists = {"relay": "reject", "recipient": "defer"}

    assert reply(**lists) == DENIED
    assert reply(**lists, smtpd_relay_before_recipient_restrictions=False).startswith("450 4.3.2 ")


def test_permit_leaves_its_own_list_only() -> None:
    """An OK of the client list is no OK for a recipient."""
    assert reply(client="permit, reject", recipient="permit, reject") == ""
    assert reply(client="permit", recipient="reject") == DENIED


def test_bare_postmaster_passes_all_lists() -> None:
    """RFC 5321, 4.5.1."""
    lists = {"client": "reject", "recipient": "reject"}

    assert reply(facts(recipient="PostMaster"), **lists) == ""
    assert reply(facts(recipient="postmaster@ours.example"), **lists) != ""


def test_without_helo_the_helo_list_is_not_asked() -> None:
    """The others are."""
    assert reply(facts(helo=None), helo="reject") == ""
    assert reply(facts(helo=None), helo="reject", sender="reject") != ""


def test_defer_if_permit_is_said_where_nothing_refuses() -> None:
    """A later refusal is heard, a later permission is not."""
    assert reply(recipient="defer_if_permit, permit") == REQUESTED
    assert reply(recipient="defer_if_permit, reject") == DENIED
    assert reply(client="defer_if_permit", recipient="reject") == DENIED


def test_the_first_reason_to_defer_is_kept() -> None:
    """From the first list to the last."""
    expected = "450 4.7.0 <mx.far.example>: Helo command rejected: defer_if_permit requested"

    assert reply(helo="defer_if_permit", recipient="defer_if_permit") == expected


def test_defer_if_reject_makes_a_refusal_a_temporary_one() -> None:
    """A temporary one stays as it is."""
    assert reply(recipient="defer_if_reject, reject") == REQUESTED.replace("permit", "reject")
    assert reply(recipient="defer_if_reject, defer").startswith("450 4.3.2 ")
    assert reply(recipient="defer_if_reject, permit") == ""


def test_defer_if_reject_is_forgotten_with_its_stage() -> None:
    """The relay and recipient lists are one stage."""
    assert reply(sender="defer_if_reject", recipient="reject") == DENIED
    assert reply(relay="defer_if_reject", recipient="reject") == REQUESTED.replace("permit", "reject")


def test_both_memories_end_a_list() -> None:
    """Whatever else it has could not change the code."""
    assert reply(recipient="defer_if_permit, defer_if_reject, reject") == REQUESTED


def test_warn_if_reject_softens_the_next_restriction_alone() -> None:
    """It is logged, and the list goes on."""
    verdict = judged(settings(recipient="warn_if_reject reject, defer"), facts())

    assert said(verdict).startswith("450 4.3.2 ")
    assert verdict.lines == (LogLine(b"reject_warning", DENIED.encode()),)


def test_warn_if_reject_softens_a_whole_class() -> None:
    """All of its restrictions, and nothing behind it."""
    verdict = judged(settings({"mild": "defer, reject"}, recipient="warn_if_reject mild, permit"), facts())

    assert said(verdict) == ""
    assert [line.kind for line in verdict.lines] == [b"reject_warning"] * 2


def test_a_warning_within_a_warning_changes_nothing() -> None:
    """The outer one holds to the end of the class, and no further."""
    lists = settings({"mild": "warn_if_reject defer, reject, defer"}, recipient="warn_if_reject mild, reject")
    verdict = judged(lists, facts())

    assert said(verdict) == DENIED
    assert [line.text[:3] for line in verdict.lines] == [b"450", b"554", b"450"]


def test_a_warning_forgets_no_reason_to_defer() -> None:
    """What was to be deferred if it is refused still is."""
    verdict = judged(settings(recipient="defer_if_reject, warn_if_reject reject, reject"), facts())

    assert said(verdict) == REQUESTED.replace("permit", "reject")
    assert verdict.lines == (LogLine(b"reject_warning", DENIED.encode()),)


def test_warn_if_reject_warns_of_what_would_be_deferred() -> None:
    """A name that cannot be looked up now is no reason to defer then."""
    world = World(dns=dict.fromkeys(("far.example MX", "far.example A", "far.example AAAA"), DnsFailure.TRY_AGAIN))
    verdict = judged(settings(recipient="warn_if_reject reject_unknown_sender_domain"), facts(), world)

    assert said(verdict) == ""
    assert [line.kind for line in verdict.lines] == [b"reject_warning"]


def test_soft_bounce_refuses_nothing_for_good() -> None:
    """Code and detail become temporary."""
    assert reply(recipient="reject", soft_bounce=True) == DENIED.replace("554 5.", "454 4.")


def test_a_code_is_a_parameter_and_the_detail_follows_it() -> None:
    """The first digit of both is the same."""
    assert reply(recipient="reject", reject_code=450) == DENIED.replace("554 5.", "450 4.")
    assert reply(recipient="reject", reject_code=200) == "450 4.7.1 Service unavailable"


def test_a_reply_has_510_bytes_and_no_control_bytes() -> None:
    """What a client said is cut, and what cannot be shown is a blank."""
    long = judged(settings(recipient="reject"), facts(recipient=path("b" * 600 + "@ours.example")))
    odd = World(tables={"hash:/t": {"u@ours.example": "REJECT !~a\x1fb\x7fc\u00e9d"}})

    assert len(said(long)) == 510
    assert reply(None, odd, recipient="check_recipient_access hash:/t").endswith("rejected: !~a b c  d")


def test_sleep_waits() -> None:
    """As long as all of them say."""
    assert judged(settings(client="sleep 2", recipient="sleep 3, permit, sleep 9"), facts()).pause == 5


def test_a_class_is_a_list() -> None:
    """It permits and refuses for the list that it stands in; classes may hold classes."""
    classes = {"one": "two, reject", "two": "permit"}

    assert said(judged(settings(classes, recipient="one, reject"), facts())) == ""


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.HELO, Stage.MAIL])
def test_with_delay_reject_nothing_is_refused_before_rcpt(stage: Stage) -> None:
    """smtpd_delay_reject = yes."""
    assert reply(facts(stage), client="reject", helo="reject", sender="reject") == ""


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.CONNECT, "<mx.far.example[192.0.2.7]>: Client host rejected: "),
        (Stage.HELO, "<mx.far.example>: Helo command rejected: "),
        (Stage.MAIL, "<a@far.example>: Sender address rejected: "),
        (Stage.RCPT, "<u@ours.example>: Recipient address rejected: "),
        (Stage.DATA, "<DATA>: Data command rejected: "),
        (Stage.END_OF_MESSAGE, "<END-OF-MESSAGE>: End-of-data rejected: "),
    ],
)
def test_without_delay_reject_each_stage_has_its_own_list(stage: Stage, expected: str) -> None:
    """smtpd_delay_reject = no."""
    lists = dict.fromkeys(("client", "helo", "sender", "recipient", "data", "end_of_data"), "reject")

    assert reply(facts(stage), **lists, smtpd_delay_reject=False) == f"554 5.7.1 {expected}Access denied"


def test_without_delay_reject_an_early_reason_to_defer_is_told_to_the_next_stage() -> None:
    """It is said at RCPT."""
    lists = settings(helo="defer_if_permit", smtpd_delay_reject=False)
    early = judged(lists, facts(Stage.HELO, sender=None, recipient=None))
    late = judged(lists, facts(deferred=early.deferred))

    assert said(early) == ""
    assert said(late) == "450 4.7.0 <mx.far.example>: Helo command rejected: defer_if_permit requested"


def test_a_restriction_without_its_data_says_nothing() -> None:
    """There is no recipient yet, nor a sender."""
    lists = settings(client="reject_unauth_destination, reject_non_fqdn_sender", smtpd_delay_reject=False)

    assert said(judged(lists, facts(Stage.CONNECT, helo=None, sender=None, recipient=None))) == ""


def test_several_recipients_are_none_at_data() -> None:
    """One alone is known."""
    lists = settings(data="reject_unauth_destination")

    assert said(judged(lists, facts(Stage.DATA, accepted=1, recipient="u@other.example"))) != ""
    assert said(judged(lists, facts(Stage.DATA, accepted=2, recipient="u@other.example"))) == ""


def test_a_reason_to_defer_counts_at_data_too() -> None:
    """It begins anew there."""
    lists = settings(data="defer_if_permit")

    assert said(judged(lists, facts(Stage.DATA))) == (
        "450 4.7.0 <DATA>: Data command rejected: defer_if_permit requested"
    )


@pytest.mark.parametrize(
    ("stage", "accepted", "refused"), [("RCPT", 0, False), ("RCPT", 1, True), ("DATA", 1, False), ("DATA", 2, True)]
)
def test_the_null_sender_writes_to_one_only(stage: str, accepted: int, refused: bool) -> None:
    """At RCPT one that was accepted is too many, at DATA two are."""
    client = facts(Stage[stage], sender="", accepted=accepted)
    lists = {"recipient": "reject_multi_recipient_bounce", "data": "reject_multi_recipient_bounce"}

    assert ("Multi-recipient bounce" in reply(client, **lists)) is refused
    assert reply(client._replace(sender=path("a@far.example")), **lists) == ""


def test_a_client_that_did_not_wait_is_refused() -> None:
    """Whoever waited is not."""
    expected = "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining"

    assert reply(facts(Stage.DATA, ill_pipelining=True), data="reject_unauth_pipelining") == expected
    assert reply(facts(Stage.DATA), data="reject_unauth_pipelining") == ""


def test_a_session_without_tls_is_plain() -> None:
    """And one within it is not."""
    assert reply(recipient="reject_plaintext_session") == "450 4.7.1 Session encryption is required"
    assert reply(facts(secured=True), recipient="reject_plaintext_session") == ""


def test_a_certificate_permits_where_a_list_says_so() -> None:
    """Of an authority of ours; one that nobody has signed is not shown to us, and so its list is refused."""
    assert (
        reply(facts(certified=True, recipient="u@other.example"), recipient="permit_tls_all_clientcerts, reject") == ""
    )
    assert reply(facts(secured=True), recipient="permit_tls_all_clientcerts, reject") == DENIED
    with pytest.raises(AskedWrongly, match="use permit_tls_all_clientcerts"):
        reply(recipient="permit_tls_clientcerts, reject")


def test_whoever_may_relay_is_permitted() -> None:
    """mynetworks, or a rule; and a client on this host."""
    assert reply(facts(relays=True, recipient="u@other.example"), recipient="permit_mynetworks, reject") == ""
    assert reply(facts(is_ours=True), recipient="permit_inet_interfaces, reject") == ""
    assert reply(recipient="permit_mynetworks, permit_inet_interfaces, permit_sasl_authenticated, reject") == DENIED


def test_logins_are_passed_over_with_a_line() -> None:
    """Postfix without smtpd_sasl_auth_enable."""
    verdict = judged(settings(sender="reject_authenticated_sender_login_mismatch"), facts())

    assert said(verdict) == ""
    assert b"no SASL support" in verdict.lines[0].text


@pytest.mark.parametrize(
    ("lists", "restriction"),
    [
        ({"recipient": "reject_unauth_destination"}, None),
        ({"client": "permit", "recipient": "reject_unauth_destination"}, None),
        ({"relay": "permit_mynetworks, permit", "recipient": "reject_unauth_destination"}, "permit"),
        ({"relay": "permit", "recipient": "check_sender_access hash:/t"}, "check_sender_access"),
        ({"sender": "permit", "recipient": "hash:/t"}, "check_recipient_access"),
        ({"recipient": "one, reject"}, "permit"),
        ({"recipient": "warn_if_reject reject, reject_unlisted_recipient"}, None),
        ({"client": "check_client_access hash:/t"}, "check_client_access"),
        ({"recipient": "permit, reject", "relay": "reject"}, "reject"),
    ],
)
def test_which_restriction_has_decided(lists: dict[str, str], restriction: str | None) -> None:
    """The last one that did not leave it to the next, of the list that has the last word; of a class the one in it."""
    values = {"a@far.example": "OK", "u@ours.example": "OK", "192.0.2.7": "reject_unauth_destination, reject"}
    world = World(tables={"hash:/t": values})

    assert judged(settings({"one": "permit"}, **lists), facts(), world).restriction == restriction


def test_a_dry_run_refuses_and_discards_nothing() -> None:
    """What lists have to say is still said, and a discard in a word of no refusal; headers are put on top."""
    table = {"a@far.example": "PREPEND X: y", "u@ours.example": "DISCARD gone"}
    tables = settings(sender="check_sender_access hash:/t", recipient="check_recipient_access hash:/t")
    thrown = judged(tables, facts(), World(tables={"hash:/t": table}))
    denied = judged(settings(client="warn_if_reject reject, reject"), facts())

    assert thrown.in_dry_run == thrown._replace(discard=False, lines=(LogLine(b"warn", thrown.lines[0].text),))
    assert (thrown.discard, thrown.prepend) == (True, (b"X: y",))
    assert denied.in_dry_run == denied._replace(reply=None, restriction=None)
    assert (denied.restriction, [line.kind for line in denied.lines]) == ("reject", [b"reject_warning"])
