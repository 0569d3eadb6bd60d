"""Traps in mynetworks: who may relay, and should not."""

from collections.abc import Iterator
from ipaddress import ip_address

from ...importers.postfix.lines import network
from ...lint.relay import relay_flaw
from ...rules.cidr import Network
from ..language.words import Word
from .finding import Finding, warning
from .subject import Subject

#: RFC 1918, RFC 4193: blocks in which everybody has networks of their own.
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fd00::/8")
#: The gateways that containers have unless told otherwise.
_GATEWAYS = {"172.17.0.1": "Docker's", "10.88.0.1": "Podman's"}
#: Whose addresses are those of others, who speak for a client or hide it.
_PROXIES = ("smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts", "proxy_interfaces")
_RELAYS = b'allow,RELAYCLIENT=""'
_ONE_BY_ONE = "name the hosts that send mail by this one, and no others"


def too_wide(subject: Subject) -> Iterator[Finding]:
    """Find networks that hold a provider, or all private networks of their kind."""
    for word, found in _networks(subject):
        flaw = relay_flaw(word.text.encode("ascii", "replace"), found, _RELAYS)
        if flaw:
            yield warning(word.where, f"mynetworks: {flaw.sentence}", _ONE_BY_ONE)
        elif any(_holds(found, one) for one in _PRIVATE):
            sentence = f"mynetworks: {word.text} also holds the gateways of containers, from which strangers may come"
            yield warning(word.where, sentence, _ONE_BY_ONE)


def gateways(subject: Subject) -> Iterator[Finding]:
    """Find networks that hold the gateway of a container: a port that is handed through may hide all clients there."""
    for word, found in _networks(subject):
        here = next((one for one in map(bytes.decode, subject.around.gateways) if _holds(found, one)), "")
        usual = next((one for one in _GATEWAYS if _holds(found, one)), "")
        if here:
            sentence = f"mynetworks: {word.text} holds {here}, the gateway of this container"
            yield warning(word.where, f"{sentence}, from which strangers may come", _ONE_BY_ONE)
        elif usual and not any(_holds(found, one) for one in _PRIVATE):
            sentence = f"mynetworks: {word.text} holds {usual}, {_GATEWAYS[usual]} gateway"
            yield warning(word.where, f"{sentence}: in a container strangers may come from there", _ONE_BY_ONE)


def proxies(subject: Subject) -> Iterator[Finding]:
    """Find networks that hold a proxy: the gate takes no word of it for the client's address."""
    ours = [word for word, _ in _networks(subject)]
    for name in _PROXIES:
        for proxy in subject.reading.words(name):
            if proxy in ours or _is_loopback(proxy.text):
                continue
            for word, found in _networks(subject):
                if _holds(found, proxy.text):
                    sentence = f"mynetworks: {word.text} holds {proxy.text} of {name}, behind which all clients may be"
                    yield warning(word.where, sentence, "take it out of mynetworks")


def _networks(subject: Subject) -> Iterator[tuple[Word, Network]]:
    for word in subject.reading.words("mynetworks"):
        found = network(word.text)
        if isinstance(found, Network):
            yield word, found


def _holds(outer: Network, text: str) -> bool:
    inner = network(text)
    return isinstance(inner, Network) and outer.holds(inner)


def _is_loopback(text: str) -> bool:
    try:
        return ip_address(text.partition("/")[0].strip("[]")).is_loopback
    except ValueError:
        return False
