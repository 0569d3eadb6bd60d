"""pyrules explain --session: a client's way through a service, told without serving anybody."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import relay, triplets
from tests.support.certificates import Authority
from tests.support.gate import controls
from tests.support.nameserver import Records, lists, serving
from tests.support.policy_server import policy_server
from tests.support.programs import ours
from tests.support.rules_tools import Run, compile_rules
from tests.support.warm import Warm, standing
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.greylist.attempt import Attempt
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.greylist.triplet.changes import CLIENTS, ClientPass
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.greylist.visit import TENANT, Visit
from ucspi_py.system.store.sqlite import SqliteStore

PROGRAMS = Warm("pyrules", modules=("ucspi_py.cli.rules.sessions",))
_stands = standing(PROGRAMS)

RULES = """\
192.0.2.66:deny
192.0.2.5:allow,MAXCONNIP="0"
192.0.2.:allow,DATABYTES="1000"
127.:allow,RELAYCLIENT="",RBLSMTPD=""
:allow
"""
OPTIONS = "-H -R -l mx.example.org -x tcp.cdb"
MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx.example.org
mydestination = example.org
local_recipient_maps = inline:{r@example.org=x}
smtpd_sender_restrictions = check_sender_access inline:{bad@example.net=REJECT}
"""
TO_US = ("--sender", "s@example.net", "--recipient", "r@example.org")
DNS: Records = lists("bl.example", "192.0.2.7", text="go away")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The rules of all services."""
    cdb = tmp_path_factory.mktemp("rules") / "tcp.cdb"
    done = compile_rules(RULES.encode(), cdb, "--provenance")
    assert done.returncode == 0, done
    return cdb.read_bytes()


@pytest.fixture
def service(tmp_path: Path, rules: bytes) -> Path:
    """The folder of a service, with rules and a main.cf."""
    (tmp_path / "tcp.cdb").write_bytes(rules)
    main_cf = MAIN_CF + f"qmail_control = {controls(tmp_path / 'control')}\n"
    (tmp_path / "main.cf").write_text(main_cf)
    return tmp_path


def runs(service: Path, chain: str, options: str = OPTIONS) -> None:
    """Have its run script start this."""
    (service / "run").write_text(f"#!/bin/sh\nexec pytcpserver {options} 0 25 \\\n  {chain}\n")


def explain(service: Path, ip: str, *words: str, dns: str = "127.0.0.1@9", before: Sequence[str] = ()) -> Run:
    """Explain a client of the service, from another folder. before: a program that runs ours."""
    command = ("pyrules", "explain", "--session", "--from", str(service / "run"), ip, *words)
    environment = {**os.environ, "DNSCACHEIP": dns}
    if not before:
        return PROGRAMS.run(*command, env=environment, cwd="/")
    installed = (ours(command[0]), *command[1:])
    return subprocess.run([*before, *installed], capture_output=True, check=False, cwd="/", env=environment)


def told(done: Run) -> list[str]:
    """Its lines, where all went well."""
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode().splitlines()


def snapshot(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("ip", "last", "among"),
    [
        ("192.0.2.66", "192.0.2.66 is denied by a rule: the connection is closed without a word", []),
        (
            "192.0.2.5",
            "192.0.2.5 is over a limit: 0/0 connections of the client",
            ["    > 421 4.7.0 too many connections from you, try again later"],
        ),
    ],
)
def test_a_client_that_is_turned_away(service: Path, ip: str, last: str, among: list[str]) -> None:
    """Goes no further."""
    runs(service, "pysmtpgate -f main.cf smtpd")

    lines = told(explain(service, ip, *TO_US))

    assert lines[-1] == last
    assert set(among) <= set(lines)
    assert "EHLO" not in " ".join(lines)


def test_a_client_that_comes_by_a_proxy(service: Path) -> None:
    """It is the client that is explained; ident is not asked."""
    options = OPTIONS.replace("-R ", "") + " --proxy-from 10.0.0.2,2001:db8::/64"
    runs(service, "pysmtpgate -f main.cf smtpd", options)

    lines = told(explain(service, "192.0.2.7", *TO_US))

    assert "    comes by a proxy in 10.0.0.2/32, 2001:db8::/64, whose header says its address" in lines
    assert "ident" not in " ".join(lines)
    assert "192.0.2.7 comes to smtpd" in lines


def test_a_client_that_comes_to_the_program(service: Path) -> None:
    """With the environment that it gets, and nothing else that is ours."""
    runs(service, "pysmtpgate -f main.cf smtpd")

    lines = told(explain(service, "192.0.2.7", *TO_US))

    assert '    the rule 192.0.2. decides (-:3): allow,DATABYTES="1000"' in lines
    assert "    > 250-SIZE 1000" in lines
    assert lines[-6:] == [
        "192.0.2.7 comes to smtpd",
        "    DATABYTES=1000",
        "    PROTO=TCP",
        "    TCPLOCALHOST=mx.example.org",
        "    TCPLOCALPORT=25",
        "    TCPREMOTEIP=192.0.2.7",
    ]


def test_no_policy_service_is_asked(service: Path) -> None:
    """It would count a client that there is not."""
    with policy_server() as policy:
        lists = f"smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service {policy.service}\n"
        text = (service / "main.cf").read_text() + "smtpd_policy_service_default_action = REJECT\n" + lists
        (service / "main.cf").write_text(text)
        runs(service, "pysmtpgate -f main.cf smtpd")
        lines = told(explain(service, "192.0.2.7", *TO_US))

    assert f"        check_policy_service {policy.service}: dunno" in lines
    assert f"            {policy.service} is not asked: the service would count this client" in lines
    assert lines[-6] == "192.0.2.7 comes to smtpd"
    assert policy.connections == 0


def test_programs_are_told_the_same(service: Path) -> None:
    """Each step with its restrictions."""
    runs(service, "pysmtpgate -f main.cf smtpd")

    found = json.loads(
        "\n".join(told(explain(service, "192.0.2.7", "--json", "--sender", "bad@example.net", *TO_US[2:])))
    )

    (judged,) = (step["judged"] for step in found["steps"] if step["what"].startswith("RCPT"))
    assert (found["client"], found["left_out"], found["environment"]) == ("192.0.2.7", [], None)
    assert judged[0] == {
        "list": "smtpd_sender_restrictions",
        "depth": 0,
        "restriction": "check_sender_access inline:{bad@example.net=REJECT}",
        "verdict": "reject: 554 5.7.1 <bad@example.net>: Sender address rejected: Access denied",
        "facts": ["example.net is not in rcpthosts", "inline:{bad@example.net=REJECT} has bad@example.net: REJECT"],
    }
    assert found["verdict"].startswith("is refused at RCPT TO:<r@example.org>: 554 5.7.1 ")


def test_zones_are_asked(service: Path) -> None:
    """And what they have against a client is said at RCPT, or by the refused dialogue, as in the server."""
    with serving(DNS, service / "control") as dns:
        runs(service, "pyrblsmtpd -r bl.example -r dul.example pysmtpgate -f main.cf smtpd")
        gated = told(explain(service, "192.0.2.7", *TO_US, dns=dns.address))
        runs(service, "pyrblsmtpd -b -r bl.example qmail-smtpd")
        alone = told(explain(service, "192.0.2.7", *TO_US, dns=dns.address))
        runs(service, "pyrblsmtpd -r bl.example qmail-smtpd")
        spared = told(explain(service, "127.0.0.2", *TO_US, dns=dns.address))

    assert gated[gated.index("pyrblsmtpd") : gated.index("pyrblsmtpd") + 4] == [
        "pyrblsmtpd",
        "    bl.example: listed (127.0.0.2), go away",
        "    dul.example: not listed",
        "    refuses: 451 go away",
    ]
    assert gated[-1] == "192.0.2.7 is refused at RCPT TO:<r@example.org>: 451 go away"
    assert alone[-1] == "192.0.2.7 is refused at RCPT TO:<r@example.org>: 553 go away"
    assert "    > 220 rblsmtpd.local" in alone
    assert "    RBLSMTPD='' decides, no zone is asked" in spared
    assert "127.0.0.2 comes to qmail-smtpd" in spared


def test_the_greylist_is_only_read(service: Path) -> None:
    """Neither a file nor a record is made."""
    runs(service, "pygreylist -s greylist.db -d 300 pysmtpgate -f main.cf smtpd")
    before = snapshot(service)

    lines = told(explain(service, "192.0.2.7", *TO_US))

    assert "    192.0.2.0/24: no record" in lines
    assert lines[-1].endswith(": 451 Greylisted, try again in 300 seconds")
    assert snapshot(service) == before


@pytest.mark.parametrize("is_open", [False, True])
def test_a_record_of_the_greylist_is_told(service: Path, is_open: bool) -> None:
    """Whether the server has the file open, or not; it stays as it was."""
    runs(service, "pygreylist -s greylist.db -d 300 pysmtpgate -f main.cf smtpd")
    with asyncio.Runner() as runner:
        store = SqliteStore(str(service / "greylist.db"), (TENANT,))
        settings = GreylistSettings("", 300, 172800, 3024000, NETWORK, 60)
        runner.run(store.update("192.0.2.0/24", Visit(int(time.time()) - 1000, settings)))
        if not is_open:
            runner.run(store.close())
        before = snapshot(service)

        lines = told(explain(service, "192.0.2.7", *TO_US))

        after = snapshot(service)
        if is_open:
            runner.run(store.close())
    assert any(line.startswith("    192.0.2.0/24: came first 100") for line in lines)
    assert "192.0.2.7 comes to smtpd" in lines
    assert {name for name in after if before.get(name) != after[name]} <= {str(service / "greylist.db-shm")}
    assert set(after) == set(before)


def test_a_network_that_the_gate_has_let_in_is_told(service: Path) -> None:
    """pygreylist lets it in as well, and so does who explains it."""
    runs(service, "pygreylist -s greylist.db -d 300 pysmtpgate -f main.cf smtpd")
    with asyncio.Runner() as runner:
        store = SqliteStore(str(service / "greylist.db"), (TENANT, CLIENTS))
        runner.run(store.update("192.0.2.0/24", ClientPass(int(time.time()) - 1000, TripletSettings(""))))
        runner.run(store.close())

    lines = told(explain(service, "192.0.2.7", *TO_US))

    assert "    192.0.2.0/24: check_greylist has let it in" in lines
    assert "192.0.2.7 comes to smtpd" in lines


TRIPLETS = "pysmtpgate -f main.cf -o 'smtpd_recipient_restrictions=check_greylist ./triplets.db' smtpd"


@pytest.mark.parametrize("is_there", [False, True])
def test_the_triplets_are_only_read(service: Path, is_there: bool) -> None:
    """Neither a file nor a record is made; where it stands, and behind all lists, it is told."""
    runs(service, TRIPLETS)
    if is_there:
        triplets.made(service / "triplets.db")
    before = snapshot(service)

    lines = told(explain(service, "192.0.2.7", *TO_US))

    reply = "450 4.2.0 <r@example.org>: Recipient address rejected: Greylisted, try again in 300 seconds"
    assert lines[-1] == f"192.0.2.7 is refused at RCPT TO:<r@example.org>: {reply}"
    place = lines.index("        check_greylist ./triplets.db: dunno, asked behind all lists")
    assert lines[place:].count("        check_greylist ./triplets.db: reject") == 1
    assert "            triplet of s@example.net and r@example.org: action=greylist, reason=new" in lines
    assert snapshot(service) == before


def test_a_triplet_that_has_waited_is_told(service: Path) -> None:
    """Its client comes to the program."""
    runs(service, TRIPLETS)
    db = triplets.made(service / "triplets.db")
    triplets.waits(db, Attempt(b"192.0.2.7", b"", b"", b"s@example.net", b"r@example.org"), 1000)
    before = snapshot(service)

    lines = told(explain(service, "192.0.2.7", *TO_US))

    assert any("action=pass, reason=triplet found, delay=100" in line for line in lines)
    assert "192.0.2.7 comes to smtpd" in lines
    assert snapshot(service) == before


def test_a_triplet_of_whom_is_refused_is_not_asked_about(service: Path) -> None:
    """As in the server."""
    runs(service, TRIPLETS)

    lines = told(explain(service, "192.0.2.7", "--sender", "bad@example.net", "--recipient", "r@example.org"))

    assert not any(line.lstrip().startswith("triplet of") for line in lines)


@pytest.mark.parametrize(
    ("ip", "among", "relays"),
    [
        ("192.0.2.7", "granted to joe by pop3, recorded by tests, for ", "RELAYUSER=joe"),
        ("192.0.2.8", "no grant", None),
        ("192.0.2.4", 'RELAY="never": no grant counts', None),
        ("127.0.0.5", "RELAYCLIENT is set, the ledger is not asked", "RELAYCLIENT="),
    ],
)
def test_the_ledger_is_only_read(service: Path, ip: str, among: str, relays: str | None) -> None:
    """And which of them spoke is shown: a rule, or a grant."""
    compile_rules(f'192.0.2.4:allow,RELAY="never"\n{RULES}'.encode(), service / "tcp.cdb")
    for granted in ("192.0.2.7", "192.0.2.4"):
        relay.grant(str(service / "relay.db"), granted)
    runs(service, "pygreylist -s greylist.db pysmtpgate -f main.cf -o relay_store=relay.db smtpd")
    before = snapshot(service)

    lines = told(explain(service, ip, "--sender", "s@example.net", "--recipient", "x@elsewhere.example"))

    assert any(line.startswith(f"    {among}") for line in lines), lines
    assert (f"{ip} comes to smtpd" in lines) == (relays is not None)
    assert relays is None or f"    {relays}" in lines
    assert snapshot(service) == before


ELSEWHERE = ("--sender", "s@example.net", "--recipient", "far@elsewhere.example")
LOGINS = "-o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=dovecot"


@pytest.mark.parametrize("chain", ["pysmtpgate -f main.cf {} smtpd", "pysmtpgate -o qmail_control=control {} smtpd"])
def test_a_client_that_logs_in(service: Path, chain: str) -> None:
    """Lists see it, it relays, and the program is told; nobody is asked for a password that there is not."""
    runs(service, chain.format(LOGINS))
    lines = told(explain(service, "192.0.2.7", "--login", "joe", *ELSEWHERE))

    assert "(logs in as joe)" in lines
    assert "> 235 2.7.0 Authentication successful" in [line.strip() for line in lines]
    assert any("log: smtpgate" in line and "sasl_username=joe" in line for line in lines)
    assert lines[lines.index("    RELAYCLIENT=")].strip() == "RELAYCLIENT="
    assert "    SMTPAUTHUSER=joe" in lines


def test_a_gate_that_requires_tls_is_explained_within_it(service: Path) -> None:
    """What waits for TLS does not wait, no session is plain, and the program is told of it."""
    keys = Authority(service).pair("mx.example.org")
    files = f"-o smtpd_tls_cert_file={keys.certificate} -o smtpd_tls_key_file={keys.key}"
    tls = f"-o smtpd_tls_security_level=encrypt {files}"
    plain = "-o smtpd_client_restrictions=reject_plaintext_session"
    runs(service, f"pysmtpgate -f main.cf {LOGINS} {tls} {plain} smtpd")
    lines = told(explain(service, "192.0.2.7", "--login", "joe", *ELSEWHERE))

    assert "    taken as begun: the gate requires it" in lines
    assert "    SSL_PROTOCOL=TLSv1.3" in lines
    assert "    SMTPAUTHUSER=joe" in lines

    runs(service, f"pysmtpgate -f main.cf {LOGINS} {plain} smtpd")
    assert any("Session encryption is required" in line for line in told(explain(service, "192.0.2.7", *ELSEWHERE)))


def test_without_a_login_it_does_not_relay(service: Path) -> None:
    """And a gate that takes no logins says so."""
    runs(service, f"pysmtpgate -f main.cf {LOGINS} smtpd")
    assert any("Relay access denied" in line for line in told(explain(service, "192.0.2.7", *ELSEWHERE)))

    runs(service, "pysmtpgate -f main.cf smtpd")
    lines = told(explain(service, "192.0.2.7", "--login", "joe", *ELSEWHERE))
    assert "> 503 5.5.1 Error: authentication not enabled" in [line.strip() for line in lines]


def test_a_message_is_sent_as_it_is(service: Path) -> None:
    """And the limit that holds for it refuses it, where it is too large."""
    runs(service, "pysmtpgate -f main.cf -o message_size_limit=100 smtpd")
    (service / "small").write_bytes(b"Subject: x\n\n.\n")
    (service / "large").write_bytes(b"Subject: x\n\n" + b"x\n" * 100)

    small = told(explain(service, "198.51.100.7", *TO_US, "--message", str(service / "small")))
    large = told(explain(service, "198.51.100.7", *TO_US, "--message", str(service / "large")))

    assert "(the message, 14 bytes)" in small and "198.51.100.7 comes to smtpd" in small
    assert any(line.startswith("198.51.100.7 is refused at (the message, 212 bytes): 552 ") for line in large)


def test_the_content_of_a_message_is_checked(service: Path) -> None:
    """As headers of main.cf say, and what lists put on top of it is shown."""
    with (service / "main.cf").open("a") as main_cf:
        main_cf.write("smtpd_data_restrictions = check_sender_access inline:{ {s@example.net=PREPEND X-List: yes} }\n")
        main_cf.write(f"header_checks = regexp:{service / 'headers'}\n")
    (service / "headers").write_text("/^X-Gone:/ IGNORE\n/^Subject: bad/ REJECT no\n")
    runs(service, "pysmtpgate -f main.cf smtpd")
    (service / "good").write_bytes(b"Subject: good\nX-Gone: x\n\nbody\n")
    (service / "bad").write_bytes(b"Subject: bad\n\nbody\n")

    good = told(explain(service, "198.51.100.7", *TO_US, "--message", str(service / "good")))
    bad = told(explain(service, "198.51.100.7", *TO_US, "--message", str(service / "bad")))

    assert good[good.index("(the message, 30 bytes)") + 1 :][:2] == ["    +X-List: yes", "    -X-Gone: x"]
    assert "198.51.100.7 is refused at (the message, 19 bytes): 550 5.7.1 no" in bad


WRONG: list[tuple[Sequence[str], int, str]] = [
    (["--session", "192.0.2.7"], 100, "--session needs --from, the run script of the service"),
    (["--session", "--from", "run", "192.0.2.7", "tcp.cdb"], 100, "--session takes the rules of --from"),
    (["--from", "run", "192.0.2.7"], 100, "a CDB is needed, or --session and --from"),
    (["192.0.2.7"], 100, "a CDB is needed, or --session and --from"),
    (["--session", "--from", "none", "192.0.2.7"], 111, "none: file does not exist"),
    (["--session", "--from", "run", "192.0.2.7", "--helo", "a\nb"], 100, "'a\\nb' cannot be said in one line"),
    (["--session", "--from", "run", "192.0.2.7", "--message", "none"], 111, "unable to read none: file does not exist"),
]


@pytest.mark.parametrize(("words", "code", "sentence"), WRONG, ids=repr)
def test_what_is_wrong_is_said_in_a_line(service: Path, words: Sequence[str], code: int, sentence: str) -> None:
    """With djb's exit codes."""
    runs(service, "pysmtpgate -f main.cf smtpd")

    done = subprocess.run([ours("pyrules"), "explain", *words], cwd=service, capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (code, b"")
    assert sentence in done.stderr.decode().splitlines()[0]


#: Root without the right to read every file.
WITHOUT_ROOTS_RIGHT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.parametrize("name", ["run", "tcp.cdb", "main.cf", "greylist.db", "senders", "control/rcpthosts"])
def test_what_may_not_be_read_is_said(service: Path, name: str) -> None:
    """Nothing is guessed: exit 111."""
    runs(service, "pygreylist -s greylist.db pysmtpgate -f main.cf smtpd")
    with (service / "main.cf").open("a") as main_cf:
        main_cf.write(f"smtpd_helo_restrictions = check_sender_access hash:{service / 'senders'}\n")
    for file in (service / "greylist.db", service / "senders"):
        file.touch()
    (service / name).chmod(0)

    done = explain(service, "192.0.2.7", *TO_US, before=WITHOUT_ROOTS_RIGHT if os.geteuid() == 0 else ())

    assert (done.returncode, done.stdout) == (111, b"")
    assert name in done.stderr.decode()
    assert "access denied" in done.stderr.decode()
