"""A log with a line of each kind that our programs write, made by what writes them."""

from ipaddress import IPv4Address

from ucspi_py.core.auth.sasl import Fault
from ucspi_py.core.client.connection import Endpoints, Names
from ucspi_py.core.dnsbl import loglines as dnsbl
from ucspi_py.core.gate import loglines as gate
from ucspi_py.core.gate.content.checked import HEADER, MIME_ERROR, Note
from ucspi_py.core.gate.logins import loglines as logins
from ucspi_py.core.gate.loglines import Course
from ucspi_py.core.gate.restrictions.judgement import LogLine
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.ledger import loglines as ledger
from ucspi_py.core.ledger.grant import Grant, How
from ucspi_py.core.ledger.recorder import loglines as recorder
from ucspi_py.core.ledger.recorder.proof import Proven
from ucspi_py.core.policy.request import Request
from ucspi_py.core.postgrey import loglines as postgrey
from ucspi_py.core.service import loglines as server
from ucspi_py.core.smtp.envelope import Envelope
from ucspi_py.core.smtp.events import ExchangeFailed
from ucspi_py.core.smtp.loglines import refused
from ucspi_py.core.smtp.path import Path
from ucspi_py.core.smtp.reply import Reply

#: What a client says that wants to write a page, a terminal or another line.
HOSTILE = b"<script>alert(1)</script>\"'&\x1b[2J\x9b31m\xe2\x80\xae\xff"
RECIPIENT = Path(b"r", b"example.org")


def visitor(ip: bytes, login: bytes = b"", *, relays: bool = False) -> Visitor:
    """A client of the gate."""
    method = b"PLAIN" if login else b""
    return Visitor(b"mx.example.net", ip, relays, unique_id=b"1764162253000430817", login=login, method=method)


def envelope(sender: bytes = b"s") -> Envelope:
    """Of a transaction with one recipient."""
    return Envelope(b"mx", True, Path(sender, b"example.net"), (), (RECIPIENT,))


def connected(ip: bytes, pid: int = 7, word: bytes = b"ok") -> bytes:
    """The line of a client that rules have decided about."""
    ends = Endpoints(b"192.0.2.1", b"25", ip, b"4321")
    return server.decided(word, pid, ends, Names(b"mx.example.org", b"a.example.net", b"joe"))


def zones(ip: bytes, verdict: bytes, **words: bytes) -> bytes:
    """What zones say of a client, each a word."""
    return dnsbl.zone_results(ip, 7, [(name.encode(), word, 0.012) for name, word in words.items()], verdict)


def rejected(ip: bytes, code: int, text: bytes) -> bytes:
    """A recipient that the gate refuses."""
    return gate.rejected(b"RCPT", visitor(ip), Reply(code, (text,)), envelope(), RECIPIENT)


def message(client: Visitor, code: int = 250, text: bytes = b"ok 1764162253 qp 77", size: int = 2000) -> bytes:
    """A message that has come to its end."""
    return gate.message(client, envelope(), size, Reply(code, (text,)), Course(0.1, "permit_mynetworks"))


def greylisted(words: bytes, ip: bytes = b"192.0.2.9") -> bytes:
    """What the gate's greylist says of a recipient."""
    return gate.noted(b"RCPT", visitor(ip), LogLine(b"info", words), envelope(), RECIPIENT)


def policy(verb: bytes, reason: bytes, *more: bytes) -> bytes:
    """What pypostgrey says of a request."""
    fields = {b"client_name": b"a.example.net", b"client_address": b"192.0.2.9", b"sender": b"s", b"recipient": b"r"}
    return postgrey.action(Request(fields), verb, reason, more)


def used(ip: bytes, user: bytes) -> bytes:
    """A client that comes by a grant."""
    return ledger.relays(ip, 7, Grant(1800, 0, 0, 1, How.POP3, user, b"pop3d"), 0)


def granted(user: bytes) -> bytes:
    """A login elsewhere."""
    return recorder.granted(Proven(IPv4Address("192.0.2.8"), user, How.IMAP, 1000, 1800), "192.0.2.8", 1)


def of_odd_sessions() -> list[bytes]:
    """What the gate says of clients with which something is wrong, a line of each kind."""
    client = visitor(b"192.0.2.14", b"joe")
    return [
        gate.checked(client, Note(b"reject", HEADER, b"Subject: x", b"5.7.1 no"), envelope()),
        gate.checked(client, Note(b"milter-header-reject", HEADER, b"X-Spam: yes", b""), envelope()),
        gate.checked(client, Note(b"reject", MIME_ERROR, b"x", b""), envelope()),
        gate.filtered(b"RCPT", client, Reply(550, (b"5.7.1 no",)), envelope(), RECIPIENT),
        gate.filtered(b"END-OF-MESSAGE", client, Reply(550, (b"5.7.1 no",)), envelope()),
        gate.filtered(b"DATA", client, None, envelope()),
        gate.lost(client, b"DATA", 7),
        gate.improper_pipelining(client, b"EHLO", HOSTILE),
        gate.not_smtp(client, b"CONNECT", HOSTILE),
        gate.disconnected(client, {b"EHLO": [1, 1], b"RCPT": [0, 2]}),
        gate.exceeded(client, b"Connection rate", 9, b"smtp"),
        gate.warning("policy service unix:/spf: timed out", client),
        gate.noted(b"RCPT", client, LogLine(b"warning", b"a table is old"), envelope(), RECIPIENT),
        gate.noted(b"RCPT", client, LogLine(b"reject_warning", b"554 5.7.1 no"), envelope(), RECIPIENT),
        gate.screened(b"rblsmtpd", 7, client, Reply(451, (b"listed",)), None),
        logins.tls_failed(client, "no shared cipher"),
        logins.exchange_failed(client, ExchangeFailed(b"PLAIN", Fault.ABORTED)),
        logins.login_not_tried(client, b"PLAIN", b"joe", "too many failures"),
        logins.too_many_recipients(client, 9),
    ]


def every_kind() -> list[bytes]:
    """A line of each kind that is counted, of clients that do not deserve it."""
    ips = [b"192.0.2.%d" % number for number in range(20)]
    return [
        server.status(3, 40),
        connected(ips[0]),
        server.ended(7, 0),
        connected(ips[1], word=b"deny"),
        server.turned_away(7, ips[2], b"4/3 connections of the client"),
        server.unsecured(7, ips[3], "no cipher"),
        server.warning("unable to read tcp.smtp.cdb"),
        server.lost(12),
        zones(ips[4], b"451 http://bl/", bl=b"127.0.0.2", other=b"127.0.0.4", third=b"clean"),
        refused(b"rblsmtpd", ips[4], 7, b"451 Listed, see http://bl.example/?ip=192.0.2.4"),
        refused(b"greylist", ips[5], 7, b"451 4.7.1 greylisted, try again later"),
        dnsbl.would_refuse(ips[6], 7, b"451 listed"),
        rejected(ips[7], 554, b"5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.example; see x"),
        rejected(ips[7], 550, b"5.1.1 <r@example.org>: Recipient address rejected: User unknown"),
        message(visitor(ips[8])),
        message(visitor(ips[8], b"joe")),
        message(visitor(ips[8]), 554, b"5.7.1 spam"),
        greylisted(b"action=greylist, reason=new"),
        greylisted(b"action=pass, reason=triplet found, delay=400"),
        used(ips[10], b"jane"),
        granted(b"jane"),
        logins.logged_in(visitor(ips[8], b"joe")),
        logins.login_failed(visitor(ips[11]), b"PLAIN", HOSTILE, "authentication failure"),
        gate.timed_out(visitor(ips[12]), b"RCPT"),
        gate.too_many_errors(visitor(ips[13]), b"UNKNOWN"),
    ]
