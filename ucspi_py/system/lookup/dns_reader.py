"""An answer's packet -> the answer. The only importer of dns. Never asks and never judges."""

import dns.name

from ...core.dns import message as dns_message
from ...core.dns import name as dns_name
from ...core.dns.message import PROTOCOL_ERROR, Answer, Question, Truncated


def read(packet: bytes, asked: Question) -> Answer:
    """The answer in a packet that is one, in time that is bounded by its length. Raises Truncated.

    Whatever else goes wrong in reading it is Failed: the packet is a stranger's, and somebody waits for the answer.
    """
    try:
        return dns_message.answer(packet, asked, _name_at)
    except Truncated:
        raise
    except Exception:  # of a library that reads what strangers send
        return PROTOCOL_ERROR


def _name_at(packet: bytes, position: int) -> bytes:
    """Names with compression are dnspython's to read."""
    return dns_name.dotted(dns.name.from_wire(packet, position)[0].labels)
