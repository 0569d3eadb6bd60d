"""The exact lines about TLS and logins, in the words of Postfix's smtpd. Each function one line; never writes it."""

from functools import partial

from ...log.event import with_event
from ...smtp.events import ExchangeFailed
from ...text import clean
from .. import logevents
from ..logfields import field, program, who
from ..visitor import Visitor


def tls_failed(client: Visitor, reason: str) -> bytes:
    """Report a client with which no TLS can be spoken (tls_server.c). reason: OpenSSL's, or ours."""
    words = (program(client), who(client), clean(reason.encode("utf-8", "replace")))
    return with_event(b"%b: SSL_accept error from %b: %b\n" % words, partial(logevents.tls_failed, client, reason))


def exchange_failed(client: Visitor, event: ExchangeFailed) -> bytes:
    """Report an AUTH that came to no credentials (smtpd_sasl_glue.c). None of what it came to is shown."""
    words = (program(client), who(client), field(event.mechanism), event.why.value.encode())
    return with_event(b"%b: warning: %b: SASL %b %b\n" % words, partial(logevents.exchange_failed, client, event))


def logged_in(client: Visitor) -> bytes:
    """Report a client that has logged in, as smtpd names it at its first recipient."""
    words = (program(client), who(client), field(client.method), field(client.login))
    line = b"%b: client=%b, sasl_method=%b, sasl_username=%b\n" % words
    return with_event(line, partial(logevents.logged_in, client))


def login_failed(client: Visitor, mechanism: bytes, login: bytes, reason: str) -> bytes:
    """Report a login that failed (smtpd_sasl_glue.c). login: as the client says it, so it stands last."""
    line = _login(client, mechanism, login, "authentication failed: " + reason)
    return with_event(line, partial(logevents.login_failed, client, mechanism, login, reason))


def login_not_tried(client: Visitor, mechanism: bytes, login: bytes, reason: str) -> bytes:
    """Report a login about which nobody was asked: no filter takes the line for a wrong password. login: as above."""
    line = _login(client, mechanism, login, "authentication not tried: " + reason)
    return with_event(line, partial(logevents.login_failed, client, mechanism, login, reason, is_tried=False))


def too_many_recipients(client: Visitor, count: int) -> bytes:
    """Report a user over the limit of recipients in an hour. count: to how many it has come."""
    words = (program(client), count, who(client), field(client.login))
    line = b"%b: warning: Hourly recipient limit exceeded: %d from %b, sasl_username=%b\n" % words
    return with_event(line, partial(logevents.too_many_recipients, client, count))


def _login(client: Visitor, mechanism: bytes, login: bytes, what: str) -> bytes:
    said = clean(what.encode("utf-8", "surrogateescape"))
    words = (program(client), who(client), field(mechanism), said, field(login))
    return b"%b: warning: %b: SASL %b %b, sasl_username=%b\n" % words
