"""What pysumm tells of the log of a real service is what its clients have gone through, in whichever form it stands."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import greylist, nameserver, triplets
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, RELAY, STRANGER, Gate, gated
from tests.support.nameserver import healthy, lists
from tests.support.programs import ours
from tests.support.rules import cdb_of
from tests.support.saslauthd import Saslauthd
from tests.support.screened import environment
from tests.support.server import QUIET, Server
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until
from ucspi_py.cli.summ import for_programs
from ucspi_py.core.log.forms import FORMS
from ucspi_py.core.summary.lines.reader import Reader
from ucspi_py.core.summary.totals import Totals

Report = dict[str, Any]
EHLO = b"EHLO client.example.net"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
DATA: tuple[Step, ...] = (b"DATA", Content(b"x\r\n.\r\n"))
CLEAN, LISTED, DENIED = "127.0.0.9", "127.0.7.7", "127.0.0.66"
ZONES = ("-v", "-r", "bl.example", "-r", "copy.example")
RULES = """\
127.0.0.1:allow,TCPREMOTEIP="192.0.2.7"
127.0.0.2:allow,TCPREMOTEIP="192.0.2.8",RELAYCLIENT=""
127.0.0.9:allow,TCPREMOTEIP="192.0.2.9"
127.0.0.66:deny
"""
LISTS = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
FORM = ("djb", *FORMS)
#: What is another each time, or by the number of lines: one event is several of them in djb's form, whose
#: status counts clients without a program, too.
OWN = ("lines", "understood", "first", "last", "hours", "zones", "peak")


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server with two zones that list the same clients."""
    records = {
        zone: found
        for name in ("bl.example", "copy.example")
        for zone, found in {
            **healthy(name),
            **lists(name, "192.0.2.7", text="listed"),
            **lists(name, LISTED, text="listed"),
        }.items()
    }
    with nameserver.running(records, tmp_path_factory.mktemp("dns")) as address:
        yield address


@pytest.fixture(scope="module")
def saslauthd() -> Iterator[Saslauthd]:
    """Knows joe."""
    with Saslauthd({"joe": "s3cret"}) as daemon:
        yield daemon


@pytest.fixture
def gates(backend: Scripted, saslauthd: Saslauthd, dns: str, tmp_path: Path) -> Iterator[dict[str, Gate]]:
    """Behind the zones, with logins and a greylist, a gate of each form of the log."""
    backend.does()
    headers = tmp_path / "headers"
    headers.write_text("/^Subject: bad/ WARN it is bad\n")
    screens = (ours("pyrblsmtpd"), *ZONES, "-T", "2")
    stores = {form: triplets.made(tmp_path / f"{form}.db") for form in FORM}
    with ExitStack() as stack:
        yield {
            form: stack.enter_context(
                gated(
                    backend.argv,
                    tmp_path / form,
                    screens=screens,
                    options=("-v", "--log", form),
                    rules=RULES,
                    parameters=(
                        *PATIENT,
                        *("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd"),
                        f"smtpd_sasl_path={saslauthd.path}",
                        f"smtpd_recipient_restrictions={LISTS}, check_greylist {stores[form]}",
                        "smtpd_sender_restrictions=warn_if_reject, reject_non_fqdn_sender",
                        f"header_checks=regexp:{headers}",
                    ),
                    variables={"DNSCACHEIP": dns},
                )
            )
            for form in FORM
        }


def test_the_log_of_a_gate(gates: dict[str, Gate]) -> None:
    """A listed client, one that wants to relay, one that may, one that a rule denies, who logs in and who does not."""
    total = {"connections": 7, "denied": 1, "screened": 1, "rejected": 4, "spared": 1}
    total |= {"messages": 2, "recipients": 2, "size": 22}

    reports = at_once(_visit_gate, gates, total)

    report = reports["djb"]
    assert [(zone["zone"], zone["listed"], zone["alone"]) for zone in report["zones"]] == [
        ("bl.example", 1, 0),
        ("copy.example", 1, 0),
    ]
    assert report["pairs"] == [{"first": "bl.example", "second": "copy.example", "both": 1}]
    assert (report["relays"]["by_address"], report["relays"]["by_login"]) == (1, 1)
    assert report["triplets"]["new"] == 1
    assert report["restrictions"] == [
        {"name": "reject_unauth_destination", "number": 3},
        {"name": "check_greylist", "number": 1},
    ]
    assert all(report[name] for name in ("warnings", "left", "checks"))


def test_the_log_of_a_server(dns: str, tmp_path: Path) -> None:
    """A listed client, one that is greylisted, and one that is denied."""
    rules = cdb_of(f"{DENIED}:deny\n:allow\n", tmp_path)
    options = ("-v", "-w", "1", "-x", rules, *QUIET)
    with ExitStack() as stack:
        servers = {}
        for form in FORM:
            (tmp_path / form).mkdir()
            db = greylist.made(tmp_path / form / "db")
            chain = (ours("pyrblsmtpd"), *ZONES, ours("pygreylist"), "-s", db, "cat")
            server = Server(
                ours("pytcpserver"), (*options, "--log", form), chain, tmp_path / form, env=environment(dns)
            )
            servers[form] = stack.enter_context(server)
        total = {"connections": 2, "denied": 1, "screened": 2}

        reports = at_once(_visit_server, servers, total)

    assert reports["djb"]["networks"]["new"] == 1


def _visit_gate(gate: Gate) -> None:
    """Clients of each kind come, and all of them go."""
    bad = Content(b"Subject: bad\r\n\r\nx\r\n.\r\n")
    gate.converse([EHLO, MAIL, RCPT, b"QUIT"], source=STRANGER)
    gate.converse([EHLO, MAIL, FOREIGN, RCPT, b"RSET", b"MAIL FROM:<s@short>", FOREIGN, b"QUIT"], source=CLEAN)
    gate.converse([EHLO, MAIL, RCPT, *DATA, b"QUIT"], source=RELAY)
    for password in ("wrong", "s3cret"):
        login = b"AUTH PLAIN " + b64encode(f"\0joe\0{password}".encode())
        gate.converse([EHLO, login, MAIL, FOREIGN, b"DATA", bad, b"QUIT"], source=CLEAN)
    gate.converse([EHLO, b"AUTH PLAIN", b"*", b"QUIT"], source=CLEAN)
    with gate.client(CLEAN) as client:
        client.converse([EHLO, MAIL])
    gate.talk(b"", DENIED)


def _visit_server(server: Server) -> None:
    for source in (LISTED, CLEAN):
        server.talk(b"rcpt\r\nquit\r\n", source)
    server.talk(b"", DENIED)


def at_once(visit: Callable[[Any], None], servers: Mapping[str, Server], total: Mapping[str, int]) -> dict[str, Report]:
    """What pysumm tells of each log, which is the same. total: what it counts in the end, but for zeros."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(visit, servers.values()))
    reports: dict[str, Report] = {}

    def is_whole(form: str) -> bool:
        reports[form] = summed(servers[form].log_file)
        return {name: number for name, number in reports[form]["total"].items() if number} == total

    for form in servers:
        until(partial(is_whole, form), f"{total} in {form}: {reports}")
    djb = _common(reports["djb"])
    assert {form: _common(report) for form, report in reports.items()} == dict.fromkeys(reports, djb)
    return reports


def summed(log: Path) -> Report:
    """What pysumm tells of a log."""
    reader, totals = Reader(datetime.now(UTC).date()), Totals()
    for line in log.read_bytes().splitlines():
        totals.add(reader.read(line))
    return for_programs.report(totals.report(99))


def _common(report: Report) -> Report:
    """What does not depend on the form, nor on the moment."""
    return {name: value for name, value in report.items() if name not in OWN}
