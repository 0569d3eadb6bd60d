"""check_policy_service at the gate: cases 73 and 74, over real sockets, in a worker of pytcpserver."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail
from tests.support.gate import MAIL, RCPT, Gate, controls, gated
from tests.support.policy_server import CLOSES, SILENT, PolicyServer, policy_server
from tests.support.ports import free_port
from tests.support.programs import theirs
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until

EHLO, SECOND = b"EHLO client.example.net", b"RCPT TO:<second@example.org>"
ELSEWHERE = b"RCPT TO:<r@elsewhere.example>"
BODY = Content(b"Subject: x\r\n\r\n..\r\nbody\r\n.\r\n")
PARAMETERS = (
    "compatibility_level=3.6",
    "myhostname=mx.example.org",
    "mydestination=example.org",
    "local_recipient_maps=",
    "smtpd_error_sleep_time=0",
    "smtpd_hard_error_limit=100",
    "smtpd_sasl_auth_enable=no",
)
REFUSED = b"<r@example.org>: Recipient address rejected: "


class Asked(NamedTuple):
    """A gate that asks a policy server of ours for each recipient, and its backend."""

    gate: Gate
    backend: NotQmail
    service: PolicyServer


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The service stands before the relay check, so that only the last check refuses mail for elsewhere."""
    folder = tmp_path_factory.mktemp("policy")
    with policy_server(folder / "socket") as service:
        text = f"{{ {service.service}, try_limit=1 }}"
        lists = f"smtpd_recipient_restrictions=check_policy_service {text}, reject_unauth_destination"
        yield from serve(folder, service, (*PARAMETERS, "smtpd_relay_restrictions=", lists))


@pytest.fixture(scope="module")
def at_each(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The service is asked at each command, as that comes."""
    folder = tmp_path_factory.mktemp("each")
    with policy_server() as service:
        stages = ("client", "helo", "sender", "recipient", "data", "end_of_data")
        lists = tuple(
            f"smtpd_{stage}_restrictions=check_policy_service {{ {service.service}, policy_context={stage} }}"
            for stage in stages
        )
        yield from serve(folder, service, (*PARAMETERS, "smtpd_delay_reject=no", *lists))


def serve(folder: Path, service: PolicyServer, parameters: Sequence[str], server: str | None = None) -> Iterator[Asked]:
    """Start a gate with these parameters. server: another one than pytcpserver."""
    backend = NotQmail(folder / "backend", controls(folder / "control"))
    variables = {**backend.environment, "DNSCACHEIP": "127.0.0.1"}
    with gated(backend.argv, folder, parameters=parameters, variables=variables, server=server) as gate:
        yield Asked(gate, backend, service)


def rcpt(asked: Asked, action: bytes, recipient: bytes = RCPT) -> bytes:
    """What a recipient hears while the service says an action."""
    asked.service.say(action)
    return asked.gate.converse([EHLO, MAIL, recipient])[-1]


@pytest.mark.parametrize(
    ("action", "heard"),
    [
        (b"DUNNO", b"250 ok"),
        (b"dunno", b"250 ok"),
        (b"550 5.7.23 x", b"550 5.7.23 " + REFUSED + b"x"),
        (b"defer_if_permit 4.7.24 x", b"450 4.7.24 " + REFUSED + b"x"),
        (b"DEFER_IF_PERMIT 4.2.0 Greylisted", b"450 4.2.0 " + REFUSED + b"Greylisted"),
        (b"reject go away", b"554 5.7.1 " + REFUSED + b"go away"),
        (b"nonsense", b"451 4.3.5 Server configuration error"),
    ],
)
def test_the_action_of_a_service_is_done(asked: Asked, action: bytes, heard: bytes) -> None:
    """Case 73: in capitals and in small letters."""
    assert rcpt(asked, action) == heard


def test_a_header_of_a_service_is_on_top_once(asked: Asked) -> None:
    """Case 73: however many recipients the message has; the next message has its own."""
    count = len(asked.backend.messages())
    asked.service.say(b"PREPEND X-Policy: seen")
    of_one: Sequence[Step] = [MAIL, RCPT, SECOND, b"DATA", BODY]

    asked.gate.converse([EHLO, *of_one, *of_one, b"QUIT"])

    texts = [message.text for message in asked.backend.messages()[count:]]
    assert [text.count(b"X-Policy: seen\n") for text in texts] == [1, 1]
    assert texts[0].startswith(b"X-Policy: seen\nSubject: x\n")


def test_a_recipient_who_is_named_twice_is_asked_about_twice(asked: Asked) -> None:
    """What was said of the first time is no answer to the second."""
    asked.service.say(b"450 4.7.1 x")
    count = len(asked.service.requests)

    asked.gate.converse([EHLO, MAIL, RCPT, RCPT])

    assert len(asked.service.requests) == count + 2


def test_an_ok_of_a_service_relays_nothing(asked: Asked) -> None:
    """Case 74: the gate's last check stays, also where the service stands before the relay check."""
    assert rcpt(asked, b"OK", ELSEWHERE).startswith(b"554 5.7.1 <r@elsewhere.example>")
    assert rcpt(asked, b"OK") == b"250 ok"


@pytest.mark.parametrize("action", [CLOSES, b"=" + b"x" * 1_000_000], ids=["closes", "1 MB"])
def test_without_an_answer_the_client_passes_and_the_service_is_asked_again(asked: Asked, action: bytes) -> None:
    """Case 74: DUNNO after the deadline; two seconds later it is asked again, on another connection."""
    assert rcpt(asked, action) == b"250 ok"
    count = len(asked.service.requests)
    asked.service.say(b"550 5.7.23 x")

    until(lambda: rcpt(asked, b"550 5.7.23 x")[:3] == b"550", "the service to be asked again")

    assert len(asked.service.requests) == count + 1
    assert asked.gate.log().count(b"warning: policy service ") == 1


def test_who_waits_for_a_service_holds_nobody_up(asked: Asked) -> None:
    """Case 74: others are served meanwhile; the service may be started anew, and is asked once more."""
    rcpt(asked, b"DUNNO")
    asked.service.say(SILENT)
    count = len(asked.service.requests)
    with asked.gate.client() as waiting:
        waiting.converse([EHLO, MAIL])
        waiting.socket.sendall(RCPT + b"\r\n")
        until(lambda: len(asked.service.requests) > count, "the service to be asked")
        others = asked.gate.converse([EHLO, MAIL, b"RCPT TO:<postmaster>"])
        asked.service.say(b"DUNNO")
        asked.service.drop()
        heard = waiting.reply()

    assert (others[-1], heard) == (b"250 ok", b"250 ok")
    assert len(asked.service.requests) == count + 2


def test_each_command_is_told(at_each: Asked) -> None:
    """In its own list, with what is known by then; one message has one instance, and the next another."""
    service = at_each.service
    first: Sequence[Step] = [b"MAIL FROM:<s@example.net> SIZE=77", RCPT, SECOND, b"DATA", BODY]
    second: Sequence[Step] = [MAIL, RCPT, b"DATA", BODY]

    at_each.gate.converse([EHLO, *first, *second, b"QUIT"])

    lists = ["sender", "recipient", "recipient", "data", "end_of_data", "sender", "recipient", "data", "end_of_data"]
    states = {"sender": "MAIL", "recipient": "RCPT", "data": "DATA", "end_of_data": "END-OF-MESSAGE"}
    assert service.heard("protocol_state") == ["CONNECT", "EHLO", *map(states.__getitem__, lists)]
    assert service.heard("policy_context") == ["client", "helo", *lists]
    assert service.heard("recipient") == [
        *("", "", "", "r@example.org", "second@example.org", "", ""),
        *("", "r@example.org", "r@example.org", "r@example.org"),
    ]
    assert service.heard("recipient_count") == ["0"] * 5 + ["2", "2", "0", "0", "1", "1"]
    assert service.heard("size") == ["0", "0", "77", "77", "77", "77", "23", "0", "0", "0", "23"]
    assert service.heard("protocol_name") == ["SMTP"] * 2 + ["ESMTP"] * 9
    instances = service.heard("instance")
    assert len(set(instances[2:7])) == len(set(instances[7:])) == 1
    assert instances[2] != instances[7]
    last = service.requests[-1]
    assert last["client_address"] == "192.0.2.7"
    assert (last["server_address"], last["server_port"]) == ("127.0.0.1", str(at_each.gate.port))
    assert re.fullmatch("[1-9][0-9]+", last["client_port"])


def test_a_gate_under_another_tcpserver_asks_as_well(tmp_path: Path) -> None:
    """A process for each client, which leaves no connection behind it."""
    with policy_server() as service:
        lists = f"smtpd_recipient_restrictions=reject_unauth_destination, check_policy_service {service.service}"
        for found in serve(tmp_path, service, (*PARAMETERS, lists), server=theirs("tcpserver")):
            assert rcpt(found, b"550 5.7.23 x") == b"550 5.7.23 " + REFUSED + b"x"
            assert rcpt(found, b"DUNNO") == b"250 ok"
            assert b"warning" not in found.gate.log()

    assert service.connections == 2


def test_a_dead_service_is_said_once(tmp_path: Path) -> None:
    """And whoever sets another default action has that."""
    port = free_port()
    lists = f"smtpd_recipient_restrictions=reject_unauth_destination, check_policy_service inet:127.0.0.1:{port}"
    more = ("smtpd_policy_service_default_action=451 4.3.5 policy", "smtpd_policy_service_try_limit=1")
    with policy_server() as unused:
        for found in serve(tmp_path, unused, (*PARAMETERS, lists, *more)):
            replies = [found.gate.converse([EHLO, MAIL, RCPT])[-1] for _ in range(3)]
            log = found.gate.log()

    assert replies == [b"451 4.3.5 " + REFUSED + b"policy"] * 3
    assert log.count(b"warning: policy service inet:127.0.0.1:%d: connection refused" % port) == 1
