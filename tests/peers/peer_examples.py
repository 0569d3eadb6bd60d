"""examples/postfix in Debian's smtpd: each line says there what it says at the gate."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.examples import test_postfix_relay, test_postfix_restrictions, test_postfix_zones
from tests.support.nameserver import Records, serving
from tests.support.postfix_example import FOLDER, Mail, Shown
from tests.support.programs import theirs
from tests.support.smtp_client import Client
from tests.support.waiting import PATIENCE

from . import postfix

#: What the configuration of the private Postfix sets and an example leaves to its default.
_DEFAULTS = "compatibility_level = 0\nsmtpd_relay_restrictions =\nsmtpd_authorized_xclient_hosts = 127.0.0.0/8\n"


class Case(NamedTuple):
    """An example, and all of it that is shown. parameters: over those of its file."""

    example: str
    module: ModuleType
    shown: Mapping[str, Shown]
    parameters: Sequence[str] = ()


_CASES = {
    "zones": Case("zones", test_postfix_zones, test_postfix_zones.FIRST),
    "recipient list": Case(
        "zones",
        test_postfix_zones,
        test_postfix_zones.RECIPIENT,
        ("smtpd_client_restrictions=", "smtpd_sender_restrictions="),
    ),
    "restrictions": Case("restrictions", test_postfix_restrictions, test_postfix_restrictions.SHOWN),
    "relay": Case("relay", test_postfix_relay, test_postfix_relay.SHOWN),
}


@pytest.fixture(scope="module", params=_CASES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Case, int]]:
    """A case, and the port on which Postfix serves it."""
    case = _CASES[request.param]
    folder = tmp_path_factory.mktemp("peers")
    records: Records = case.module.DNS
    with (
        serving(records, folder, port=53) as server,
        postfix.running(
            {"example": case.parameters},
            main=postfix.PLAIN + _main(case.example, folder),
            name_server=server.address,
        ) as postfixes,
    ):
        yield case, postfixes.ports["example"]


def test_postfix_says_the_same(running: tuple[Case, int]) -> None:
    """To the word where it refuses; of what passes the code counts."""
    case, port = running
    for line, shown in case.shown.items():
        assert _hears(case.module, port, shown.refused) == shown.words, line
        assert _hears(case.module, port, shown.passes)[:4] == b"250 ", line


def _main(example: str, folder: Path) -> str:
    """The main.cf of an example, its tables compiled in a folder of their own."""
    for checks in (FOLDER / example).glob("*_checks"):
        shutil.copy(checks, folder)
    for table in (FOLDER / example).glob("*access"):
        shutil.copy(table, folder)
        subprocess.run([theirs("postmap"), f"hash:{folder / table.name}"], check=True, capture_output=True)
    return _DEFAULTS + (FOLDER / example / "main.cf").read_text().replace("$config_directory", str(folder))


def _hears(module: ModuleType, port: int, mail: Mail) -> bytes:
    """The reply to the recipient, of a client whose address and name XCLIENT tells."""
    ip: str = module.CLIENTS[mail.source]
    with Client(socket.create_connection(("127.0.0.1", port), PATIENCE)) as client:
        client.reply()
        client.ask(b"EHLO proxy")
        assert client.ask(f"XCLIENT ADDR={ip} NAME={_name(module.DNS, ip)}".encode()).startswith(b"220 ")
        client.ask(f"EHLO {mail.helo}".encode())
        client.ask(f"MAIL FROM:<{mail.sender}>".encode())
        return client.ask(f"RCPT TO:<{mail.recipient}>".encode())


def _name(records: Records, ip: str) -> str:
    """The name of a client that leads back to its address."""
    names = records.get(f"{ip_address(ip).reverse_pointer} PTR", ())
    return next((name[:-1] for name in names if ip in records.get(f"{name[:-1]} A", ())), "[UNAVAILABLE]")
