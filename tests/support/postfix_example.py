"""A main.cf of examples/postfix at work: the file as it stands, its lines, and two clients who show each of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ucspi_py.core.gate.language import syntax

from .backends.known import NotQmail
from .checkout import ROOT
from .gate import Gate, controls, gated
from .nameserver import Records, serving

FOLDER = ROOT / "examples/postfix"
PASSES = b"250 ok"
_RESTRICTION = re.compile(r"(?:check_\w+|reject_rbl_client) [^\s,]+|\w+")
#: Says that a list is at its end, and nothing else.
_COSMETIC = "permit"


class Mail(NamedTuple):
    """What a client offers. source: from where it comes."""

    source: str = "127.0.0.1"
    helo: str = "client.example.net"
    sender: str = "s@example.net"
    recipient: str = "r@example.org"


class Shown(NamedTuple):
    """A line: mail that is refused by it, or would be without it; what is then heard; and mail that is let through."""

    refused: Mail
    words: bytes
    passes: Mail


def hears(gate: Gate, mail: Mail) -> bytes:
    """The reply to the recipient."""
    steps = [f"EHLO {mail.helo}", f"MAIL FROM:<{mail.sender}>", f"RCPT TO:<{mail.recipient}>"]
    return gate.converse([step.encode() for step in steps], source=mail.source)[-1]


def lines(example: str) -> set[str]:
    """Each restriction of an example, ``helo reject_non_fqdn_helo_hostname``, and each key of its tables."""
    found = set()
    for setting in syntax.settings("main.cf", (FOLDER / example / "main.cf").read_text()):
        if setting.name.endswith("_restrictions"):
            stage = setting.name.split("_")[1]
            found |= {f"{stage} {one}" for one in _RESTRICTION.findall(setting.value.text) if one != _COSMETIC}
    for table in (FOLDER / example).glob("*access"):
        rows = table.read_text().splitlines()
        found |= {f"{table.name} {row.split()[0]}" for row in rows if not row.startswith("#")}
    return found


@contextmanager
def example_gate(
    example: str, folder: Path, records: Records, clients: Mapping[str, str], parameters: Sequence[str] = ()
) -> Iterator[Gate]:
    """A gate with the main.cf of an example, before the model of qmail-smtpd.

    records: those of the name server. clients: the address that each source has. parameters: over those of the file.
    """
    backend = NotQmail(folder / "backend", controls(folder / "control"))
    rules = "".join(f'{source}:allow,TCPREMOTEIP="{ip}"\n' for source, ip in clients.items())
    with (
        serving(records, folder) as dns,
        gated(
            backend.argv,
            folder,
            parameters=parameters,
            rules=rules,
            variables={**backend.environment, "DNSCACHEIP": dns.address},
            file=FOLDER / example / "main.cf",
        ) as gate,
    ):
        yield gate
