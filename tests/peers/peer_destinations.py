"""Postfix's smtpd and our gate with the same domains and users: the same recipients pass, to the word of a refusal."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.gate import controls, gated
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE

from . import postfix
from .backend import BACKEND

_COMMON = (
    *("myhostname=mx.example.org", "myorigin=local.example", "mynetworks=10.0.0.0/8", "inet_interfaces=127.0.0.1"),
    *("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "smtpd_relay_restrictions=reject_unauth_destination"),
)
_WRITTEN = (
    "mydestination=!not.example local.example texthash:{folder}/domains regexp:{folder}/expressions",
    "virtual_mailbox_domains=virtual.example texthash:{folder}/domains2",
    "virtual_mailbox_maps=inline:{{u@virtual.example=x, u@two.example=x}}",
    "virtual_alias_maps=inline:{{alias.example=x, u@alias.example=u@far.example, @all.example=u@far.example}}",
    "relay_domains=!no.relayed.example relayed.example inline:{{table.relayed2.example=x}}",
    "local_recipient_maps=inline:{{u@local.example=x, u=x}}",
    "relay_recipient_maps=inline:{{u@relayed.example=x, @a.relayed.example=x, u@b.table.relayed2.example=x}}",
    "proxy_interfaces=192.0.2.1",
)
MAINS = {
    "written": ("compatibility_level=3.6", *_WRITTEN),
    "an old level": ("compatibility_level=0", "mydestination=local.example"),
    "level 2": ("compatibility_level=2", "mydestination=local.example"),
    "without those below": (
        *("compatibility_level=3.6", "mydestination=local.example", "parent_domain_matches_subdomains="),
        "relay_domains=relayed.example .dotted.example inline:{{table.relayed2.example=x, .dot.example=x}}",
    ),
    "all interfaces": (
        "compatibility_level=3.6",
        "mydestination=local.example",
        "inet_interfaces=all",
        "inet_protocols=all",
    ),
    "by default": ("compatibility_level=3.6", "relay_domains=relayed.example"),
    "nothing at home": ("compatibility_level=3.6", "mydestination=", "relay_domains=relayed.example"),
    "an alias domain": (
        *("compatibility_level=3.6", "mydestination=local.example", "virtual_alias_domains=only.example"),
        "virtual_alias_maps=inline:{{u@only.example=u@far.example, u@far.example=u@far2.example}}",
    ),
}
FILES = {
    "domains": "table.example x\nnot.example x\n.dot.example x\n",
    "domains2": "two.example x\n",
    "expressions": "/^re[0-9]\\.example$/ x\n",
}
DOMAINS = """
    local.example LOCAL.example a.local.example table.example a.table.example dot.example a.dot.example
    not.example re1.example re.example a.re1.example virtual.example a.virtual.example
    two.example a.two.example alias.example
    a.alias.example all.example relayed.example a.relayed.example b.a.relayed.example no.relayed.example
    notrelayed.example table.relayed2.example b.table.relayed2.example relayed2.example dotted.example a.dotted.example
    only.example far.example other.example local mx.example.org localhost [127.0.0.1] [127.0.0.2] [192.0.2.1]
    [192.0.2.2] [IPv6:::1] [local.example] localhost.example.org example"""
USERS = ("u", "U", "nobody", "postmaster", "u%other.example", "other.example!u")
#: What Postfix takes mail for by default. Where mydestination is not written, the backend has to have them, too.
_DEFAULT = "$myhostname, localhost.$mydomain, localhost"
_DEFAULTS = ("mx.example.org", "localhost.example.org", "localhost", "[127.0.0.1]")


@pytest.mark.parametrize("name", MAINS)
def test_the_same_recipients_pass(tmp_path: Path, name: str) -> None:
    """Of what passes the code counts."""
    assert _differences(tmp_path, MAINS[name], _DEFAULTS if name == "by default" else ()) == {}


def test_what_nobody_has_written_is_refused(tmp_path: Path) -> None:
    """Ours is before a program that does not take mail for Postfix's default."""
    found = _differences(tmp_path, MAINS["by default"], ())

    expected = (b"250", b"554 5.7.1 <%b>: Relay access denied")
    recipients = {f"{user}@{domain}" for domain in _DEFAULTS for user in USERS[:4]}
    assert found == {one.encode(): (expected[0], expected[1] % one.encode()) for one in recipients}


def _differences(folder: Path, given: Sequence[str], rcpthosts: Sequence[str]) -> dict[bytes, tuple[bytes, bytes]]:
    """What both say of each recipient about whom they do not agree. given: parameters."""
    for file, text in FILES.items():
        (folder / file).write_text(text)
    words = dict(word.format(folder=folder).split("=", 1) for word in (*_COMMON, *given))
    main = "".join(f"{name} = {value}\n" for name, value in ({"mydestination": _DEFAULT} | words).items())
    parameters = [f"{name}={value}" for name, value in words.items()]
    recipients = [f"{user}@{domain}".encode() for domain in DOMAINS.split() for user in USERS]
    recipients += [b"u", b"nobody"]
    steps = [b"EHLO c.example", b"MAIL FROM:<s@far.example>", *(b"RCPT TO:<%b>" % one for one in recipients)]
    control = controls(folder / "control", rcpthosts="\n".join(rcpthosts))
    variables = {"DNSCACHEIP": "127.0.0.1@9"}
    with (
        postfix.running({"only": ()}, main=postfix.PLAIN + main) as theirs,
        gated(("sh", "-c", BACKEND), folder, parameters=parameters, control=control, variables=variables) as gate,
    ):
        of_them, of_us = heard(theirs.ports["only"], steps), heard(gate.port, steps)
    pairs = zip(recipients, of_them[2:], of_us[2:], strict=True)
    return {recipient: (their, our) for recipient, their, our in pairs if their != our}


def heard(port: int, steps: Sequence[bytes]) -> list[bytes]:
    """What each step is told: of what passes the code."""
    with Client(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as client:
        client.reply()
        return [reply if reply[:1] in b"45" else reply[:3] for reply in client.converse(steps)]
