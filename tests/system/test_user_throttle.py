"""The recipients of a user in an hour, besides what its client is held against."""

from tests.support.admission import Lines
from ucspi_py.core.gate.visitor import Visitor
from ucspi_py.core.smtp.reply import Reply, reply
from ucspi_py.system.accept.client_events import ClientEvents
from ucspi_py.system.gate.logins.user_throttle import UserThrottle

JOE = Visitor(b"pc.example.net", b"192.0.2.7", login=b"joe", method=b"PLAIN")
LINE = b"smtpgate: warning: Hourly recipient limit exceeded: 3 from pc.example.net[192.0.2.7], sasl_username=%b\n"


class Session:
    """Who is logged in, and what is said of the recipients."""

    def __init__(self, events: ClientEvents, of_client: Reply | None = None) -> None:
        self.user: Visitor | None = JOE
        self.lines = Lines()
        self.throttle = UserThrottle(2, events, self.lines, lambda _verb: of_client)
        self.throttle.user = lambda: self.user

    def said(self, *verbs: bytes) -> list[int | None]:
        """The codes of the refusals."""
        found = map(self.throttle, verbs)
        return [one and one.code for one in found]


def test_a_user_is_counted_over_all_sessions() -> None:
    """In any case of letters; MAIL is free."""
    events = ClientEvents(3600)
    assert Session(events).said(b"MAIL", b"RCPT", b"RCPT") == [None] * 3
    session = Session(events)
    session.user = JOE._replace(login=b"JOE")

    assert session.said(b"MAIL", b"RCPT") == [None, 450]
    assert session.lines.lines == [LINE % b"JOE"]


def test_another_user_and_a_stranger_are_not_counted() -> None:
    """Nor who was a user before TLS began."""
    events = ClientEvents(3600)
    session = Session(events)
    session.said(b"RCPT", b"RCPT")
    session.user = None
    assert session.said(b"RCPT", b"RCPT") == [None, None]
    session.user = JOE._replace(login=b"ann")
    assert session.said(b"RCPT", b"RCPT") == [None, None]


def test_what_its_client_may_not_do_is_refused_first() -> None:
    """And is not counted for the user."""
    events = ClientEvents(3600)
    busy = Session(events, reply(450, b"4.7.1 Error: too many recipients from 192.0.2.7"))

    assert busy.said(b"RCPT", b"RCPT", b"RCPT") == [450] * 3
    assert Session(events).said(b"RCPT", b"RCPT") == [None, None]
