"""A response packet -> the answer. The only importer of dns. Never sends a query and never judges."""

import dns.name

from ...core.dns import message as dns_message
from ...core.dns import name as dns_name
from ...core.dns.message import PROTOCOL_ERROR, Answer, Question, Truncated


def read(packet: bytes, asked: Question) -> Answer:
    """Parse a packet for which is_answer() holds, in time that is bounded by its length. Raises Truncated.

    Whatever else goes wrong is PROTOCOL_ERROR: anyone may have sent the packet, and a client waits for the answer.
    """
    try:
        return dns_message.answer(packet, asked, _name_at)
    except Truncated:
        raise
    except Exception:  # of a library that reads what anyone may send
        return PROTOCOL_ERROR


def _name_at(packet: bytes, position: int) -> bytes:
    """Names with compression are dnspython's to read."""
    return dns_name.dotted(dns.name.from_wire(packet, position)[0].labels)
