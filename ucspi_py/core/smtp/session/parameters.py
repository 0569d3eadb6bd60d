"""Which parameters of MAIL and RCPT are taken, and with which values (RFC 1870, RFC 6152, RFC 6531)."""

from ..envelope import Parameters
from . import replies
from .outcome import Said
from .state import State

#: off_cvt.c: a size is an off_t; backends read it into one, too.
_OFF_T_LIMIT = 2**63 - 1


def refuse_mail(parameters: Parameters, state: State) -> Said | None:
    """Judge what MAIL says beside the sender -> the refusal of the first that is not taken, or None."""
    for name, value in parameters:
        refusal = _refuse(name, value, state)
        if refusal is not None:
            return refusal
    return None


def refuse_rcpt(parameters: Parameters) -> Said | None:
    """Judge what RCPT says beside the recipient: we announce nothing that it could be."""
    return replies.unsupported(*parameters[0]) if parameters else None


def _refuse(name: bytes, value: bytes | None, state: State) -> Said | None:
    if name == b"SIZE" and value is not None:
        return _refuse_size(value, state.greeting.size)
    if name == b"BODY" and value is not None and value.upper() in (b"7BIT", b"8BITMIME"):
        return None
    if name == b"AUTH" and value is not None and state.offers.takes_auth:
        return None  # RFC 4954, 5: whoever it is, nobody here trusts the client's word, and it is not passed on
    if name == b"SMTPUTF8" and value is None and state.settings.smtputf8_enable:
        return None
    return replies.unsupported(name, value)


def _refuse_size(value: bytes, limit: int) -> Said | None:
    """RFC 1870, 3: 1*20DIGIT."""
    if not value.isdigit():
        return replies.BAD_SIZE
    size = int(value)
    if size > _OFF_T_LIMIT:
        return replies.ABSURDLY_LARGE
    return replies.TOO_LARGE if limit and size > limit else None
