"""A word of a client or daemon list of TCP wrappers -> the clients it matches (hosts_access(5), hosts_access.c).

They are those that libwrap 7.6.q finds, which are not always those that the word seems to mean.
"""

import re

from ...rules.cidr import Network
from ..imported import EVERYBODY, NAMED, UNNAMED, Name, Pattern, name, network, prefix

_ADDRESS_ONLY = re.compile(r"[0-9./]*")
_QUAD = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_IPV6 = re.compile(r"\[([0-9a-f:.]*:[0-9a-f:.]*)(%[^]]*)?\](?:/([0-9]{1,5}))?", re.IGNORECASE)
_NO_CLIENT = "no client matches it"
_NO_NAME = "with tcpserver -p neither UNKNOWN nor PARANOID clients have a name, and rules cannot tell them apart"
_WORDS = {
    "ALL": Pattern.exactly(EVERYBODY),
    "KNOWN": Pattern.exactly(NAMED),
    "UNKNOWN": Pattern.within(UNNAMED, why=_NO_NAME),
    "LOCAL": Pattern.within(NAMED, why="rules know no names without a dot"),
    "PARANOID": Pattern.within(UNNAMED, why=_NO_NAME),
}


def clients(word: str) -> Pattern:
    """Find the clients that a word of a client list matches."""
    user, host = _divided(word)
    if host is None or user.upper() == "ALL":
        return _host(user if host is None else host)
    return Pattern.within(*_host(host).around, why="a rule about a user is left to you: user@1.2.3.4")


def daemon(word: str, name_of_daemon: str) -> tuple[bool, bool]:
    """Whether a word of a daemon list surely matches a daemon, and whether it may match.

    name_of_daemon: in small letters.
    """
    program, server = _divided(word)
    if program.isdigit() and server is None:
        return False, True
    if not _is_string(program.lower(), name_of_daemon):
        return False, False
    return server is None or server.upper() in ("ALL", "*"), server != ""


def _divided(word: str) -> tuple[str, str | None]:
    """``user@host`` or ``daemon@server`` at its @, which is none in front; None where there is nothing behind."""
    at = word.find("@", 1)
    return (word, None) if at < 0 else (word[:at], word[at + 1 :])


def _host(word: str) -> Pattern:
    if word.upper() in _WORDS:
        return _WORDS[word.upper()]
    if word.startswith(("/", "@")):
        return Pattern.within(EVERYBODY, why="the file or netgroup is not read")
    if word.startswith("["):
        return _ipv6(word)
    if "/" in word:
        return _masked(*word.split("/", 1))
    if "*" in word or "?" in word:
        return _wildcard(word.lower())
    return _plain(word.lower())


def _plain(word: str) -> Pattern:
    """The end of a name, the beginning of an address or of a name, an address or a name."""
    is_address = bool(_ADDRESS_ONLY.fullmatch(word))
    if word.startswith("."):
        if is_address:
            return Pattern.within(EVERYBODY, why="rules know no ends of addresses")
        return _named(word) if not word.endswith(".") else Pattern.exactly(why=_NO_CLIENT)
    if word.endswith("."):
        if is_address:
            return _addresses(word)
        return Pattern.within(NAMED, why="it is the beginning of a name, which rules do not know")
    return _addresses(word) if is_address else _named(word)


def _named(word: str) -> Pattern:
    found = name(word)
    return Pattern.exactly(found) if found else Pattern.exactly(why="it is no name of a host")


def _addresses(word: str) -> Pattern:
    found = _beginning(word) if word.endswith(".") else network(word) if _QUAD.fullmatch(word) else None
    return Pattern.exactly(found) if found else Pattern.exactly(why=_NO_CLIENT)


def _beginning(text: str) -> Network | None:
    """``10.1.``: the beginning of an address, which is compared as text."""
    found = prefix(text)
    return found if found and all(octet == str(int(octet)) for octet in text[:-1].split(".")) else None


def _wildcard(word: str) -> Pattern:
    """``*`` is any text and ``?`` any character, of the address as well as of the name."""
    head = re.split(r"[*?]", word)[0]
    tail = re.split(r"[*?]", word)[-1]
    if word == "*":
        return Pattern.exactly(EVERYBODY)
    domain = name(tail[tail.find(".") :]) if "." in tail else None
    if domain and re.search("[a-z]", domain.text):
        if word == "*" + tail and tail.startswith("."):
            return Pattern.exactly(domain)
        host = name(tail) if word == "*" + tail else None
        inside = (host, Name(host.text, below=True)) if host else ()
        return Pattern(inside, (domain,), "rules know a * only before a dot")
    found = _beginning(head[: head.rfind(".") + 1])
    if found and word == head + "*" and head.endswith("."):
        return Pattern.exactly(found)
    return Pattern.within(found or EVERYBODY, why="rules know no wildcards but *.domain and 1.2.3.*")


def _masked(base: str, mask: str) -> Pattern:
    """IPv4 only. A network that has bits beyond its mask matches no client."""
    address, bits = _number(base), _mask(mask)
    if address is None or bits is None:
        return Pattern.exactly(why=_NO_CLIENT)
    if address & ~bits:
        return Pattern.exactly(why="it has bits beyond its mask, so no client matches it")
    ones = f"{bits:032b}".find("0") % 33
    found = Network(32, address >> (32 - ones) << (32 - ones), ones)
    if bits == (1 << 32) - (1 << (32 - ones)):
        return Pattern.exactly(found)
    return Pattern.within(found, why="its mask has a hole, and rules know only networks without one")


def _mask(mask: str) -> int | None:
    """``24`` or ``255.255.255.0``; None where libwrap takes neither for one (cidr_mask_addr)."""
    if "." in mask:
        bits = _number(mask)
        return None if bits == (1 << 32) - 1 else bits
    digits = re.match(r"[0-9]{1,5}", mask)
    length = int(digits[0]) if digits else 0
    return (1 << 32) - (1 << (32 - length)) if 0 < length <= 32 else None


def _number(quad: str) -> int | None:
    """Four parts as inet_addr(3) reads them: decimal, octal or hexadecimal."""
    octets = [_octet(octet) for octet in quad.lower().split(".")]
    if len(octets) != 4 or any(octet is None or octet > 255 for octet in octets):
        return None
    return int.from_bytes(bytes(octet or 0 for octet in octets), "big")


def _octet(text: str) -> int | None:
    if re.fullmatch(r"0x[0-9a-f]{1,8}", text):
        return int(text, 16)
    if re.fullmatch(r"0[0-7]{0,11}", text):
        return int(text, 8)
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,2}", text) else None


def _ipv6(word: str) -> Pattern:
    """Bits beyond the prefix do not count there."""
    found = _IPV6.match(word)
    if not found or (not found[3] and found.end() < len(word)):
        return Pattern.exactly(why=_NO_CLIENT)
    subject = network(f"[{found[1]}]/{found[3] or 128}")
    if subject is None or subject.bits == 32:
        return Pattern.exactly(why=_NO_CLIENT)
    return Pattern.within(subject, why="rules know addresses without a zone") if found[2] else Pattern.exactly(subject)


def _is_string(word: str, text: str) -> bool:
    """Whether a word is about a text that is no address (hosts_access.c, string_match)."""
    if "*" in word or "?" in word:
        expression = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in word)
        return bool(re.fullmatch(expression, text, re.DOTALL))
    if word.startswith("."):
        return len(text) > len(word) and text.endswith(word)
    if word.endswith("."):
        return text.startswith(word)
    return word in ("all", "known", text)
