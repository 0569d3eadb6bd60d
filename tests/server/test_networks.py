"""The acceptor and rules about networks of IPv6."""

import socket
from pathlib import Path

import pytest

from tests.support.programs import ours
from tests.support.rules_tools import compiled_by_ours, text
from tests.support.server import QUIET, Server, talk


@pytest.mark.parametrize(
    ("rules", "let_in"),
    [
        ([b"::/64:deny"], False),
        ([b"::/64:deny", b"::/96:allow"], True),
        ([b"::/96:deny", b"::/64:allow"], False),
        ([b"::/0:deny", b"0:0::1:allow"], True),
        ([b"2001:db8::/32:allow", b":deny"], False),
        ([b"0.0.0.0/0:deny"], True),
    ],
)
def test_an_ipv6_client_meets_the_narrowest_network(rules: list[bytes], let_in: bool, tmp_path: Path) -> None:
    cdb = compiled_by_ours(text(rules), tmp_path / "cdb")

    with Server(ours("pytcpserver"), [*QUIET, "-x", str(cdb)], ["/bin/echo", "in"], tmp_path, host="::1") as server:
        assert bool(server.talk()) == let_in


def test_an_ipv4_client_of_an_ipv6_listener_meets_the_rules_of_ipv4(tmp_path: Path) -> None:
    rules = [b"::/0:deny", b"127.0.0.0/9:allow", b"127.128.0.0/9:deny"]
    cdb = compiled_by_ours(text(rules), tmp_path / "cdb")

    with Server(ours("pytcpserver"), [*QUIET, "-x", str(cdb)], ["/bin/echo", "in"], tmp_path, host="::") as server:
        answers = []
        for source in ("127.0.0.1", "127.200.0.1"):
            with socket.create_connection(("127.0.0.1", server.port), source_address=(source, 0)) as client:
                answers.append(talk(client))

    assert answers == [b"in\n", b""]
