"""The gate's lines, whole."""

import re

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.gate import loglines
from ucspi_py.core.gate.content.checked import BODY, HEADER, MIME_ERROR, Note
from ucspi_py.core.gate.logins import loglines as login_loglines
from ucspi_py.core.gate.loglines import Course
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import RecipientGiven
from ucspi_py.core.smtp.path import NULL, Path
from ucspi_py.core.smtp.reply import reply
from ucspi_py.core.tls.facts import TlsFacts

CLIENT = Visitor(b"mx.example.net", b"2001:db8::1")
SENDER, RECIPIENT = Path(b"s", b"example.net"), Path(b"r", b"example.org")
ENVELOPE = Envelope(b"mx", True, SENDER, (), (RECIPIENT, RECIPIENT))
COURSE = Course(0.123, "permit_mynetworks")
WHO = b"mx.example.net[2001:db8::1]"


def test_a_refused_recipient() -> None:
    """As Postfix logs it, so that what greps its log finds it."""
    refusal = reply(554, b"5.7.1 <r@example.org>: Relay access denied")

    assert loglines.rejected(b"RCPT", CLIENT, refusal, ENVELOPE, RECIPIENT) == (
        b"smtpgate: NOQUEUE: reject: RCPT from %b: 554 5.7.1 <r@example.org>: Relay access denied; "
        b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<mx>\n" % WHO
    )


def test_a_refused_message() -> None:
    """Without a recipient; of a client that said HELO, from nobody."""
    envelope = Envelope(b"mx", False, NULL)

    assert loglines.rejected(b"END-OF-MESSAGE", CLIENT, reply(550, b"5.5.2 bare <LF> received"), envelope) == (
        b"smtpgate: NOQUEUE: reject: END-OF-MESSAGE from %b: 550 5.5.2 bare <LF> received; "
        b"from=<> proto=SMTP helo=<mx>\n" % WHO
    )


def test_what_a_milter_refuses() -> None:
    """As Postfix's smtpd and cleanup log it: at the end of a message without the code."""
    refusal, about = reply(554, b"5.7.1 Spam"), b"proto=ESMTP helo=<mx>"

    assert loglines.filtered(b"RCPT", CLIENT, refusal, ENVELOPE, RECIPIENT) == (
        b"smtpgate: NOQUEUE: milter-reject: RCPT from %b: 554 5.7.1 Spam; "
        b"from=<s@example.net> to=<r@example.org> %b\n" % (WHO, about)
    )
    assert loglines.filtered(b"END-OF-MESSAGE", CLIENT, refusal, ENVELOPE) == (
        b"smtpgate: NOQUEUE: milter-reject: END-OF-MESSAGE from %b: 5.7.1 Spam; "
        b"from=<s@example.net> to=<r@example.org> %b\n" % (WHO, about)
    )
    assert loglines.filtered(b"CONNECT", CLIENT, refusal, None).endswith(b": 554 5.7.1 Spam; proto=SMTP\n")


def test_what_a_milter_throws_away() -> None:
    """In the words of Postfix's smtpd."""
    assert loglines.filtered(b"DATA", CLIENT, None, ENVELOPE) == (
        b"smtpgate: NOQUEUE: milter-discard: DATA from %b: milter triggers DISCARD action; "
        b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<mx>\n" % WHO
    )


def test_a_message_that_the_backend_took() -> None:
    """One line for each."""
    client = CLIENT._replace(relays=True)

    assert loglines.message(client, ENVELOPE, 1234, reply(250, b"ok 1700000000 qp 42"), COURSE) == (
        b"smtpgate: message from %b: 250 ok 1700000000 qp 42; "
        b"from=<s@example.net> nrcpt=2 size=1234 proto=ESMTP helo=<mx> relay=yes "
        b"delay=0.12 restriction=permit_mynetworks\n" % WHO
    )


def test_a_message_about_which_no_restriction_has_decided() -> None:
    """Where there are no lists, or each left it to the next."""
    line = loglines.message(CLIENT, ENVELOPE, 1, reply(554, b"5.7.1 spam"), Course(63.0))
    rest = b"proto=ESMTP helo=<mx> relay=no delay=63.00"

    assert line.endswith(b": 554 5.7.1 spam; from=<s@example.net> nrcpt=2 size=1 %b\n" % rest)


def test_what_a_check_has_found() -> None:
    """As Postfix's cleanup logs it: the last recipient, 200 bytes, no bracket of the client's; and its text bounded."""
    head = b"Subject: a\n b\0 [1.2.3.4] <x> \xff"
    about = b"from %b; from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<mx>" % WHO

    assert loglines.checked(CLIENT, Note(b"reject", HEADER, head, b"5.7.1 no [x]"), ENVELOPE) == (
        b"smtpgate: NOQUEUE: reject: header Subject: a? b? (1.2.3.4) (x) ? %b: 5.7.1 no (x)\n" % about
    )
    assert loglines.checked(CLIENT, Note(b"warning", BODY, b"x" * 201, b"y" * 5000), ENVELOPE) == (
        b"smtpgate: NOQUEUE: warning: body %b %b: %b\n" % (b"x" * 200, about, b"y" * 512)
    )
    named = CLIENT._replace(unique_id=b"17")
    assert loglines.checked(named, Note(b"info", BODY, b"x", b""), ENVELOPE).startswith(
        b"smtpgate[17]: NOQUEUE: info: "
    )
    assert loglines.checked(CLIENT, Note(b"reject", MIME_ERROR, b"a: b", b""), ENVELOPE) == (
        b"smtpgate: NOQUEUE: reject: mime-error MIME nesting exceeds safety limit: a: b %b\n" % about
    )


USER = CLIENT._replace(login=b"us er<x>", method=b"PLAIN")


def test_a_login_stands_in_each_line_about_a_message() -> None:
    """As a field that forges none."""
    said = loglines.rejected(b"RCPT", USER, reply(550, b"5.1.1 no"), ENVELOPE, ENVELOPE.recipients[0])

    assert said.endswith(b"proto=ESMTP helo=<mx> sasl_username=<us?er?x?>\n")
    told = loglines.message(USER, ENVELOPE, 1, reply(250, b"ok"), Course())
    assert told.endswith(b" relay=yes delay=0.00 sasl_method=PLAIN sasl_username=us?er?x?\n")
    assert login_loglines.logged_in(USER) == b"smtpgate: client=%b, sasl_method=PLAIN, sasl_username=us?er?x?\n" % WHO


def test_the_tls_of_a_message() -> None:
    """Its version."""
    client = USER._replace(tls=TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256))
    told = loglines.message(client, ENVELOPE, 1, reply(250, b"ok"), Course())

    assert told.endswith(b" relay=yes delay=0.00 tls=TLSv1.3 sasl_method=PLAIN sasl_username=us?er?x?\n")


def test_a_login_that_fails() -> None:
    """In Postfix's words, the address before what the client says, and the user last."""
    assert login_loglines.login_failed(CLIENT, b"LOGIN", b"a b\n[1.2.3.4]", "authentication failure") == (
        b"smtpgate: warning: %b: SASL LOGIN authentication failed: authentication failure, "
        b"sasl_username=a?b?[1.2.3.4]\n" % WHO
    )
    assert login_loglines.login_not_tried(CLIENT, b"PLAIN", b"x" * 600, "too many") == (
        b"smtpgate: warning: %b: SASL PLAIN authentication not tried: too many, sasl_username=%b...\n"
        % (WHO, b"x" * 512)
    )


def test_a_user_with_too_many_recipients() -> None:
    """Within an hour."""
    assert login_loglines.too_many_recipients(USER, 101) == (
        b"smtpgate: warning: Hourly recipient limit exceeded: 101 from %b, sasl_username=us?er?x?\n" % WHO
    )


def test_a_client_that_is_gone() -> None:
    """Within content its size is told."""
    assert loglines.lost(CLIENT, b"RCPT") == b"smtpgate: lost connection after RCPT from %b\n" % WHO
    assert loglines.lost(CLIENT, b"DATA", 0) == b"smtpgate: lost connection after DATA (0 bytes) from %b\n" % WHO
    assert loglines.timed_out(CLIENT, b"CONNECT") == b"smtpgate: timeout after CONNECT from %b\n" % WHO
    assert loglines.timed_out(CLIENT, b"DATA", 9) == b"smtpgate: timeout after DATA (9 bytes) from %b\n" % WHO


def test_a_client_that_is_left() -> None:
    """With the beginning of what it sent."""
    data = b"EHLO \xe9\r\n\0" + b"x" * 200

    assert loglines.too_many_errors(CLIENT, b"UNKNOWN") == b"smtpgate: too many errors after UNKNOWN from %b\n" % WHO
    assert loglines.improper_pipelining(CLIENT, b"CONNECT", data) == (
        rb"smtpgate: improper command pipelining after CONNECT from %b: EHLO \xe9\r\n\x00%b" % (WHO, b"x" * 91) + b"\n"
    )
    assert loglines.not_smtp(CLIENT, b"CONNECT", b"GET / HTTP/1.1") == (
        b"smtpgate: non-SMTP command after CONNECT from %b: GET / HTTP/1.1\n" % WHO
    )


def test_the_commands_of_a_session() -> None:
    """Accepted and all, where these differ."""
    counts = {b"EHLO": [1, 1], b"RCPT": [0, 2], b"QUIT": [1, 1]}

    assert loglines.disconnected(CLIENT, counts) == (
        b"smtpgate: disconnect from %b ehlo=1 rcpt=0/2 quit=1 commands=2/4\n" % WHO
    )
    assert loglines.disconnected(CLIENT, {}) == b"smtpgate: disconnect from %b commands=0\n" % WHO


def test_a_warning() -> None:
    """One line, whatever the sentence."""
    assert loglines.warning("unable to read\n\udcff") == b"smtpgate: warning: unable to read??\n"


@given(st.binary(max_size=600), st.binary(max_size=600), st.binary(max_size=600), st.binary(max_size=600))
def test_no_client_forges_a_line_or_a_field(name: bytes, helo: bytes, sender: bytes, recipient: bytes) -> None:
    """Each field ends where it ends, and the line is one, of printable characters."""
    envelope = Envelope(helo, True, Path(sender, b"x"))
    client = Visitor(name, b"192.0.2.7")

    line = loglines.rejected(b"RCPT", client, reply(550, b"no"), envelope, Path(recipient, recipient))
    of_message = loglines.message(client, envelope, 1, reply(250, b"ok"), COURSE)

    for told, fields, blanks in ((line, 3, 11), (of_message, 2, 13)):
        assert told.endswith(b"\n")
        assert all(32 <= byte <= 126 for byte in told[:-1])
        assert (told.count(b"<"), told.count(b">"), told.count(b" ")) == (fields, fields, blanks)
        assert told.index(b"[192.0.2.7]") == told.index(b"[")
        assert len(told) < 4096


def test_a_field_is_cut() -> None:
    """What is behind stays known: the line goes on."""
    envelope = Envelope(b"h" * 2000, True, NULL)

    line = loglines.rejected(b"RCPT", CLIENT, reply(550, b"no"), envelope)

    assert line.endswith(b"; from=<> proto=ESMTP helo=<%b...>\n" % (b"h" * 512))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_reply_that_repeats_an_address_forges_nothing(sender: bytes, recipient: bytes) -> None:
    """And its other words stay as they are, whatever the address is."""
    envelope = Envelope(b"mx", True, Path(sender, b"x"), (), (Path(recipient, b"y"),))
    refusal = reply(554, b"5.7.1 <%b> to <%b> denied" % (envelope.sender.address, envelope.recipients[0].address))

    for line in (
        loglines.rejected(b"RCPT", CLIENT, refusal, envelope, envelope.recipients[0]),
        loglines.message(CLIENT, envelope, 1, refusal, COURSE),
    ):
        told = line.partition(b": 554 ")[2].partition(b"; from=")[0]
        assert re.fullmatch(rb"5\.7\.1 <[^ <>]+@x> to <[^ <>]+@y> denied", told)


def test_every_line_of_a_session_has_the_id_of_its_connection() -> None:
    """Where Postfix's have a process id; a screen's line has it last."""
    client = CLIENT._replace(unique_id=b"17")
    refusal, wanted = reply(451, b"listed"), RecipientGiven(ENVELOPE, RECIPIENT)
    note = LogLine(b"warn", b"look")
    lines = (
        loglines.rejected(b"CONNECT", client, refusal, None),
        loglines.noted(b"RCPT", client, note, ENVELOPE, RECIPIENT),
        loglines.noted(b"RCPT", client, note._replace(kind=b"warning"), ENVELOPE, RECIPIENT),
        loglines.message(client, ENVELOPE, 1, refusal, COURSE),
        loglines.lost(client, b"RCPT"),
        loglines.timed_out(client, b"RCPT"),
        loglines.too_many_errors(client, b"RCPT"),
        loglines.improper_pipelining(client, b"RCPT", b"x"),
        loglines.not_smtp(client, b"RCPT", b"x"),
        loglines.disconnected(client, {}),
        loglines.warning("trouble", client),
    )

    assert {line.partition(b" ")[0] for line in lines} == {b"smtpgate[17]:"}
    fields = b"from=<s@example.net> to=<r@example.org> proto=ESMTP helo=<mx> id=17"
    screened = loglines.screened(b"rblsmtpd", 7, client, refusal, wanted)
    assert screened == b"rblsmtpd: 2001:db8::1 pid 7: 451 listed; %b\n" % fields
    gone = loglines.screened(b"rblsmtpd", 7, client, refusal, None)
    assert gone == b"rblsmtpd: 2001:db8::1 pid 7: 451 listed; id=17\n"
