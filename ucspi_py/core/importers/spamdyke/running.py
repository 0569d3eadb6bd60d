"""Options about the process -> words of the run script: pytcpserver's, a screen's, its environment."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address

from .conf import Conf
from .item import Item, Kind, passed, said, unsaid
from .numbers import number

_LOGGED, _SILENT = ("info", "verbose", "debug", "excessive"), ("none", "error")
_PATH = re.compile(r"[\w./@:+-]+", re.ASCII)
_USER = re.compile(r"[\w.-]+(?::[\w.-]+)?", re.ASCII)


def running(conf: Conf) -> Iterator[Item]:
    """Say who it runs as, its rules, its log, its name servers and the delay of its banner."""
    yield from _words(conf)
    delay = conf.last("greeting-delay-secs")
    seconds = number(delay)
    if delay and seconds:
        yield said(Kind.SCREEN, delay, f"pyrblsmtpd -w {seconds}", note="who may relay or has RBLSMTPD does not wait")
    elif delay and seconds == 0:
        yield passed(delay, "so it is without it")
    servers = [(one, _server(one.value)) for one in conf.all("dns-server-ip-primary", "dns-server-ip")]
    known = [(one, address) for one, address in servers if address]
    if known:
        settings = tuple(one for one, _ in known)
        yield Item(Kind.ENVIRONMENT, settings, (f"export DNSCACHEIP={'.'.join(address for _, address in known)}",))
    for setting, address in servers:
        if not address:
            yield unsaid(setting, "a name server is an IPv4 address, on port 53", "name another one in DNSCACHEIP")


def _words(conf: Conf) -> Iterator[Item]:
    user, access, log = conf.last("run-as-user"), conf.last("access-file"), conf.last("log-level")
    if user and _USER.fullmatch(user.value):
        name, _, group = user.value.partition(":")
        yield said(Kind.SERVER, user, f"-u {name}" + (f" -g {group}" if group else ""))
    if access and _PATH.fullmatch(access.value):
        made = f"made by: pytcprules {access.value}.cdb {access.value}.tmp < {access.value}"
        yield said(Kind.SERVER, access, f"-x {access.value}.cdb", note=made)
    if log and log.value in _LOGGED:
        yield said(Kind.SERVER, log, "-v")
    elif log and log.value in _SILENT:
        yield passed(log, "the gate logs each refusal")


def _server(text: str) -> str:
    """The address of a name server; empty for one that cannot be said."""
    address, _, port = text.partition(":")
    try:
        IPv4Address(address)
    except AddressValueError:
        return ""
    return address if port in ("", "53") else ""
