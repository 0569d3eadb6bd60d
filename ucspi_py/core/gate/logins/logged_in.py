"""What a login changes: who the client is from then on, and what its backend is told. Never checks one."""

from collections.abc import Mapping

from ...auth.credentials import LIMIT
from ...text import has_control
from ..visitor import LOGIN_NAMES, Visitor

_RELAYCLIENT, _METHOD = b"RELAYCLIENT", b"SMTPAUTHMETHOD"


def is_sound(login: bytes) -> bool:
    """Whether a login may stand in an environment and a header: no control characters, and not too long."""
    return 0 < len(login) <= LIMIT and not has_control(login)


def logged_in(
    client: Visitor, environment: Mapping[bytes, bytes], login: bytes, mechanism: bytes, channel: bytes = b""
) -> Visitor:
    """Tell who a client is that has logged in; screens in front have nothing to say of it any more.

    client: who it was without a login. environment: that which the server gives. login: sound. mechanism: in capitals.
    channel: the class that it is in from then on, b"" = as it was.
    A rule's RELAYCLIENT stays. TCPREMOTEINFO stands in qmail's Received header, and s/qmail's for IPv6 has a name of
    its own. SMTPAUTHUSER is of qmail-ldap and qmail-spp, AUTHINFO of indimail.
    """
    told = {
        b"TCPREMOTEINFO": login,
        **dict.fromkeys(LOGIN_NAMES, login),
        _METHOD: mechanism.lower(),
        b"AUTHENTICATED": b"1",
    }
    if _RELAYCLIENT not in environment:
        told[_RELAYCLIENT] = b""
    if environment.get(b"PROTO") == b"TCP6":
        told[b"TCP6REMOTEINFO"] = login
    if channel:
        told[b"CHANNEL"] = channel
    changes = (*client.changes, *told.items())
    channel = channel or client.channel
    return client._replace(refusal=None, changes=changes, login=login, method=mechanism, channel=channel)
