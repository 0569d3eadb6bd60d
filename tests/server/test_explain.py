"""What pyrules explain --session says of a client is what the server and its gate do: replies, log, backend."""

import random
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.backends.known import Scripted
from tests.support.gate import Gate, gated
from tests.support.nameserver import Records, healthy, lists, serving
from tests.support.rules_tools import compiled_by_ours
from tests.support.smtp_client import Client
from tests.support.waiting import until
from ucspi_py.cli import service_from
from ucspi_py.core.explain.question import Asked
from ucspi_py.core.explain.steps import Step, Way
from ucspi_py.core.explain.words import log_text
from ucspi_py.core.gate.restrictions.names import NEEDS, Needs
from ucspi_py.core.service.settings import ServerSettings
from ucspi_py.system.explain import way

#: Of the program's own replies no more is known than what they are.
WORDS = "as the program says"
DNS: Records = {
    "7.2.0.192.in-addr.arpa PTR": ["client.example.net."],
    "client.example.net A": ["192.0.2.7"],
    "8.2.0.192.in-addr.arpa PTR": ["other.example.net."],
    "example.net MX": ["10 mx.example.net."],
    "mx.example.net A": ["192.0.2.99"],
    "null.example MX": ["0 ."],
    **healthy("bl.example", "dul.example"),
    **lists("bl.example", "192.0.2.8", text="go away"),
    **lists("dul.example", "192.0.2.9"),
}
STAGES = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data")
CLASSES = {
    "by_name": "check_client_access inline:{client.example.net=OK, 192.0.2.9=REJECT}",
    "by_helo": "check_helo_access inline:{ {pc=WARN look}, {example.net=DEFER_IF_PERMIT later} }",
    "by_server": "check_sender_mx_access inline:{192.0.2.99=REJECT}, warn_if_reject reject",
    "by_user": "permit_mynetworks, check_recipient_access inline:{second@example.org=REJECT, r@example.org=DUNNO}",
}
WORDS_OF_LISTS = (
    *sorted(name for name, needs in NEEDS.items() if needs is Needs.NOTHING and name != "warn_if_reject"),
    *("reject_rbl_client bl.example", "permit_dnswl_client dul.example", "reject_rhsbl_sender bl.example"),
    *CLASSES,
)
ACTIONS = ("OK", "REJECT", "DEFER_IF_REJECT x", "DISCARD", "PREPEND X-A: b", "WARN look", "421 4.7.0 bye", "550 no")
SENDERS = 60


def value(chance: random.Random) -> str:
    """What a table says: an action, or a list."""
    if not chance.randrange(5):
        return chance.choice(ACTIONS)
    words = (chance.choice(WORDS_OF_LISTS) for _ in range(chance.randint(1, 4)))
    return ", ".join(("warn_if_reject " if not chance.randrange(6) else "") + word for word in words)


def main_cf(folder: Path) -> Path:
    """Lists that a sender chooses by its name: each has its own of every stage."""
    chance = random.Random(15)
    lines = ["compatibility_level = 3.6", "mydestination = example.org", "smtpd_error_sleep_time = 0"]
    lines += ["local_recipient_maps = inline:{r@example.org=x, second@example.org=x}"]
    lines += [f"smtpd_restriction_classes = {', '.join(CLASSES)}", *(f"{one} = {CLASSES[one]}" for one in CLASSES)]
    for stage in STAGES:
        rows = [f"s{number}@example.net {value(chance)}" for number in range(SENDERS) if chance.randrange(3)]
        (folder / stage).write_text("\n".join(rows) + "\n")
        last = ", reject_unauth_destination" if stage == "relay" else ""
        lines.append(f"smtpd_{stage}_restrictions = check_sender_access hash:{folder / stage}{last}")
    (folder / "main.cf").write_text("\n".join(lines) + "\n")
    return folder / "main.cf"


class Service(NamedTuple):
    """A running service, and what its run script says of it. rules: the file of its rules."""

    gate: Gate
    backend: Scripted
    settings: ServerSettings
    rules: Path


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all examples: rules are read anew with each."""
    folder = tmp_path_factory.mktemp("service")
    backend = Scripted(folder / "backend")
    screens = ("pyrblsmtpd", "-b", "-r", "bl.example")
    with (
        serving(DNS, folder) as dns,
        pytest.MonkeyPatch.context() as patched,
        gated(
            backend.argv,
            folder,
            options=("-C", "9"),
            screens=screens,
            variables={"DNSCACHEIP": dns.address},
            file=main_cf(folder),
        ) as gate,
    ):
        patched.setenv("DNSCACHEIP", dns.address)
        assert isinstance(gate.process.args, list)
        (folder / "run").write_text(f"#!/bin/sh\nexec {shlex.join(map(str, gate.process.args))}\n")
        found = service_from.read(str(folder / "run"))
        assert found.left_out == ()
        yield Service(gate, backend, replace(found.settings, port=str(gate.port)), folder / "rules.cdb")


VARIABLES = (
    *('RELAYCLIENT=""', 'DATABYTES="7"', 'RBLSMTPD=""', 'RBLSMTPD="not now"', 'RBLSMTPD="-never"', 'MAXCONNIP="0"'),
    'TCPREMOTEHOST="x.example"',
)
SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.77")
addresses = st.sampled_from([f'allow,TCPREMOTEIP="192.0.2.{last}"' for last in (7, 7, 8, 9)])
decisions = st.one_of(
    *[addresses] * 6,
    st.builds(lambda *words: ",".join(words), addresses, st.sampled_from(VARIABLES), st.sampled_from(VARIABLES)),
    st.sampled_from(["deny", "allow"]),
)
rules = st.builds(
    lambda some, others: some | {"": others},
    st.dictionaries(st.sampled_from((*SOURCES, "127.0.0.", "127.")), decisions, max_size=2),
    addresses,
)
clients = st.builds(
    Asked,
    st.sampled_from(SOURCES).map(str.encode),
    st.sampled_from([None, b"client.example.net", b"pc", b"[192.0.2.7]", b"a_b.example.net"]),
    st.one_of(
        *[st.integers(0, SENDERS - 1).map(lambda number: b"s%d@example.net" % number)] * 3,
        st.sampled_from([b"", b"joe", b"a@null.example", b"a@nowhere.example", b"a b@example.net"]),
    ),
    st.lists(
        st.sampled_from([b"r@example.org", b"second@example.org", b"no@example.org", b"a@far.example", b"postmaster"]),
        min_size=1,
        max_size=3,
    ).map(tuple),
    st.sampled_from([None, b"Subject: x\n\n.body\n"]),
    login=st.none(),
)


@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(rules, clients)
def test_what_is_explained_is_what_happens(service: Service, of_clients: dict[str, str], asked: Asked) -> None:
    """Each reply, each line of the log about a command, and the environment of the program."""
    gate, backend, settings, file = service
    compiled_by_ours("".join(f"{key}:{said}\n" for key, said in of_clients.items()).encode(), file)
    mark, count = gate.mark(), len(backend.visits())

    found = way.explain(settings, asked)
    heard = conversed(gate, asked, spoken(found))

    assert [unsaid(step.reply) for step in spoken(found)] == heard
    lines = [text for step in found.steps for line in step.log if (text := without_pid(line)[0]) != WORDS]
    until(lambda: set(lines) <= set(without_pid(gate.since(mark).decode())), f"{lines} in {gate.since(mark)!r}")
    visits = backend.since(count)
    assert bool(visits) == (found.environment is not None)
    if found.environment is not None:
        environment = {name.decode(): text.decode() for name, text in visits[-1].environment.items()}
        assert found.environment.items() <= environment.items()
        assert set(environment) - set(found.environment) <= {
            "PATH",
            "DNSCACHEIP",
            "TCPREMOTEPORT",
            "UNIQUE_ID",
            "LC_CTYPE",
        }


def spoken(found: Way) -> list[Step]:
    """The steps at which the client hears something."""
    return [step for step in found.steps if step.reply]


def without_pid(lines: str) -> list[str]:
    """Lines of a log without process, session and delay; WORDS in place of one with the program's reply."""
    told = (WORDS if WORDS in line else log_text(line.encode()) for line in lines.splitlines())
    return [re.sub(r" delay=[\d.]+", "", line) for line in told]


def unsaid(lines: tuple[str, ...]) -> list[str]:
    """A reply; of the program's only its code."""
    return [lines[0][:3]] if WORDS in lines[0] else list(lines)


def conversed(gate: Gate, asked: Asked, steps: list[Step]) -> list[list[str]]:
    """What the server says to the same commands."""
    heard = []
    with gate.silent_client(asked.ip.decode()) as client:
        for step in steps:
            heard.append(_reply(client, asked, step))
        if not steps:
            assert client.reply() == b""
        client.say(b"QUIT\r\n")
        client.rest()
    return heard


def _reply(client: Client, asked: Asked, step: Step) -> list[str]:
    if step.what.startswith("(the message"):
        text = (asked.message or b"").replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
        client.say(text + b".\r\n")
    elif step.what not in ("(connected)", "limits"):
        client.say(step.what.encode() + b"\r\n")
    lines = client.reply().decode().split("\r\n")
    return [lines[0][:3]] if WORDS in step.reply[0] else lines
