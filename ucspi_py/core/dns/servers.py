"""Which name servers are to be asked, from the words of $DNSCACHEIP and of resolv.conf. Never asks and never reads."""

from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import NamedTuple

from .. import numbers
from ..address import literal
from ..errors import AskedWrongly

#: RFC 1035, 4.2: of UDP and TCP.
PORT = 53
#: Servers that are taken at most: dns_rcip.c has 64 bytes for addresses, 16 of IPv4.
_LIMIT = 16


class Server(NamedTuple):
    """A name server. ip: IPv4 or IPv6, link-local with its interface (``fe80::1%eth0``). port: of UDP and TCP."""

    ip: str
    port: int = PORT


#: dns_rcip.c: where no server is named, this machine is asked.
LOCAL = (Server("127.0.0.1"),)


def from_variable(text: str) -> tuple[Server, ...]:
    """Parse the servers of $DNSCACHEIP, in order; none where it is empty.

    IPv4 addresses joined by dots, as in C; or, divided by blanks or commas, addresses of both families, each with
    ``@port`` if need be. Raises AskedWrongly, which names the word that means nothing: C passes over it in silence.
    """
    return tuple(map(_server, _words(text)))[:_LIMIT]


def from_resolv_conf(text: str) -> tuple[Server, ...]:
    """Parse the servers of resolv.conf(5), in order; what is no address is passed over, as the system does.

    text: the whole file. A port cannot be written there.
    """
    lines = (line.split() for line in text.splitlines())
    words = [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]
    return tuple(Server(ip) for ip in map(literal, words) if ip)[:_LIMIT]


def _words(text: str) -> Iterator[str]:
    words = text.replace(",", " ").split()
    if len(words) != 1 or not words[0].replace(".", "").isdigit():
        yield from words
        return
    octets = [octet for octet in words[0].split(".") if octet]
    for at in range(0, len(octets), 4):
        yield ".".join(octets[at : at + 4])


def _server(word: str) -> Server:
    address, at, port = word.partition("@")
    ip = literal(address)
    if ip is None:
        raise AskedWrongly(
            f"$DNSCACHEIP: '{word}' is no name server; expected an IP address, with @port if it is not {PORT}:"
            " 192.0.2.1, 192.0.2.1@5353, 2001:db8::1"
        )
    if ":" in ip and "%" not in ip and IPv6Address(ip).is_link_local:
        raise AskedWrongly(f"$DNSCACHEIP: '{word}' lacks its interface; expected {ip}%eth0 or the like")
    if not at:
        return Server(ip)
    number = numbers.port(port)
    if number is None:
        raise AskedWrongly(f"$DNSCACHEIP: '{word}' has no port behind its @; expected a number from 1 to 65535")
    return Server(ip, number)
