"""The name of a client, found out as Postfix's smtpd does (smtpd_peer.c). Never judges it."""

import socket

from ....core.address import is_ipv6
from ....core.dns.message import AAAA, PTR, A, Ask
from ....core.gate.restrictions import answers
from ....core.gate.restrictions.answers import ClientName
from ....core.gate.restrictions.facts import NameStatus
from ...lookup.futures import answer_to


async def client_name(ask: Ask, ip: bytes, deadline: float) -> ClientName:
    """Look up the name of an address, and whether it leads back. ip: canonical. deadline: monotonic second."""
    question = answers.reverse_question(ip)
    if question is None:
        return ClientName()
    found = answers.reverse_name(await answer_to(ask, question, PTR, deadline))
    if found.name_status is not NameStatus.OK:
        return found
    family, kind = (socket.AF_INET6, AAAA) if is_ipv6(ip) else (socket.AF_INET, A)
    addresses = await answer_to(ask, found.name, kind, deadline)
    return answers.verified(found, socket.inet_pton(family, ip.decode("ascii")), addresses)
