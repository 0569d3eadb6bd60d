"""The verbs by which a client becomes trusted: STARTTLS and AUTH (RFC 3207, RFC 4954; smtpd.c, smtpd_sasl_proto.c)."""

from ...auth.sasl import MECHANISMS, Exchange, Fault
from ..events import ExchangeFailed, TlsAsked
from ..reply import Reply
from ..settings import Starttls
from . import replies
from .outcome import Begun, Outcome, Said, answered
from .state import State


def starttls(state: State, argument: bytes) -> Outcome:
    """Begin TLS. A transaction ends by it, as for Postfix; RFC 3207 does not say."""
    wanted = state.offers.starttls
    if argument:
        return replies.STARTTLS_SYNTAX
    if state.filtered:
        return _filtered(state.filtered)
    if wanted is Starttls.NO and not state.secured:
        return replies.NOT_IMPLEMENTED
    if state.secured:
        return replies.STARTTLS_TWICE
    return answered(replies.TLS_BROKEN) if wanted is Starttls.BROKEN else TlsAsked(state.envelope)


def auth(state: State, argument: bytes) -> Outcome:
    """Begin to log in. A password is refused before it is said where it would be said in the clear (RFC 4954, 4)."""
    words = argument.split()
    refusal = _out_of_order(state) or (None if 1 <= len(words) <= 2 else replies.AUTH_SYNTAX)
    if refusal:
        return refusal
    too_many = state.throttle and state.throttle(b"AUTH")
    if too_many:
        return answered(too_many)
    return _begun(state, words[0], words[1] if len(words) > 1 else None)


def _out_of_order(state: State) -> Said | None:
    if state.settings.helo_required and not state.helo:
        return replies.HELO_FIRST
    if not state.offers.takes_auth:
        return replies.NO_AUTH
    if state.envelope is not None:
        return replies.AUTH_IN_TRANSACTION
    if state.filtered:
        return _filtered(state.filtered)
    return None if state.login is None else replies.AUTH_TWICE


def _filtered(refusal: Reply) -> Said:
    """Say what a filter has against the client; for now is 454, as for Sendmail."""
    return answered(refusal) if refusal.code >= 500 else replies.FILTERED


def _begun(state: State, said: bytes, initial: bytes | None) -> Outcome:
    mechanism = said.upper()
    if mechanism not in state.offers.taken(state.secured):
        wants_tls = mechanism in state.offers.secured_mechanisms and not state.secured
        return ExchangeFailed(said, Fault.WANTS_TLS if wants_tls else Fault.UNKNOWN)
    challenge = b""
    if not MECHANISMS[mechanism].prompts:
        state.challenges += 1
        challenge = b"<%b.%d@%b>" % (state.offers.nonce, state.challenges, state.greeting.myhostname)
    return Begun(Exchange(mechanism, challenge), initial)
