"""Who may send where through the gate: cases 21 to 24, and the second lock behind it, the backend's own rcpthosts."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.known import NotQmail, Scripted
from tests.support.gate import APPENDED, LOCAL, MAIL, PATIENT, RELAY, STRANGER, Gate, controls, gated
from tests.support.programs import theirs
from tests.support.smtp_client import Content, Manner, every_manner, short, shorts
from tests.support.waiting import until

EHLO = b"EHLO client.example.net"
#: Addresses that look like ours and lead elsewhere.
ROUTED = [
    b"u%elsewhere.example@example.org",
    b"elsewhere.example!u@example.org",
    b"@example.org:u@elsewhere.example",
    b"@example.org,@b.example:u@elsewhere.example",
    b'"u@elsewhere.example"@example.org',
    b'"u%elsewhere.example"@example.org',
    b"u%elsewhere.example@EXAMPLE.ORG",
]
FOREIGN = [
    b"u@elsewhere.example",
    b"u@sub.example.org",
    b"u@[192.0.2.1]",
    b"u@example.orgx",
    b"u@org",
]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """qmail's folder: one domain, all below another, and a third one in the database."""
    folder = controls(tmp_path_factory.mktemp("qmail") / "control", rcpthosts="example.org\n.Below.Example")
    more = "more.example"
    subprocess.run(
        [theirs("cdbmake"), folder / "morercpthosts.cdb", folder / "tmp"],
        input=f"+{len(more)},0:{more}->\n\n".encode(),
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def gate(backend: Scripted, control: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate whose clients wait for nothing."""
    parameters = (*PATIENT, "relay_domains=relayed.example")
    with gated(backend.argv, tmp_path_factory.mktemp("gate"), parameters=parameters, control=control) as gate:
        yield gate


@every_manner
def test_case_21_a_stranger_may_not_relay(gate: Gate, backend: Scripted, manner: Manner) -> None:
    """554 5.7.1, no backend, and a line with the client, the reply, both addresses and the HELO."""
    runs, mark = len(backend.visits()), gate.mark()
    replies = gate.converse([EHLO, MAIL, b"RCPT TO:<u@other.example>", b"DATA"], manner)
    assert replies[2] == b"554 5.7.1 <u@other.example>: Relay access denied"
    assert short(replies[3]) == "554 5.5.1"
    assert backend.since(runs) == []
    wanted = (
        b"smtpgate: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <u@other.example>: Relay access denied; "
        b"from=<s@example.net> to=<u@other.example> proto=ESMTP helo=<client.example.net>\n"
    )
    until(lambda: wanted in gate.since(mark), f"{wanted!r} in {gate.since(mark)!r}")


@pytest.mark.parametrize("recipient", FOREIGN)
def test_case_21_domains_that_are_not_ours(gate: Gate, backend: Scripted, recipient: bytes) -> None:
    """However near they are: refused, no backend."""
    runs = len(backend.visits())
    replies = gate.converse([EHLO, MAIL, b"RCPT TO:<%b>" % recipient])
    assert short(replies[2]) in ("554 5.7.1", "501 5.1.3")
    assert backend.since(runs) == []


@pytest.mark.parametrize(
    "recipient",
    [b"u@Example.ORG", b"u@a.below.example", b"u@a.b.BELOW.example", b"u@more.example", b"u@relayed.example", b"u"],
)
def test_case_21_domains_that_are_ours(gate: Gate, backend: Scripted, recipient: bytes) -> None:
    """By rcpthosts, by its wildcard, by the database, by relay_domains, and without any domain."""
    runs = len(backend.visits())
    replies = gate.converse([EHLO, MAIL, b"RCPT TO:<%b>" % recipient, b"QUIT"])
    assert short(replies[2]) == "250"
    (visit,) = backend.since(runs)
    assert b"RCPT TO:<%b>" % recipient in visit.input
    assert b"RELAYCLIENT" not in visit.environment


@pytest.mark.parametrize(("source", "value"), [(RELAY, b""), (APPENDED, b"@fixme"), (LOCAL, b"")])
@every_manner
def test_case_21_who_may_relay(gate: Gate, backend: Scripted, manner: Manner, source: str, value: bytes) -> None:
    """By a rule, whose value stays, or by mynetworks: the backend has RELAYCLIENT and hears the address as it was."""
    runs = len(backend.visits())
    replies = gate.converse([EHLO, MAIL, b"RCPT TO:<u@other.example>", b"QUIT"], manner, source)
    assert short(replies[2]) == "250"
    (visit,) = backend.since(runs)
    assert visit.environment[b"RELAYCLIENT"] == value
    assert b"RCPT TO:<u@other.example>\r\n" in visit.input


@pytest.mark.parametrize("recipient", ROUTED)
@every_manner
def test_case_22_addresses_that_lead_elsewhere(gate: Gate, backend: Scripted, manner: Manner, recipient: bytes) -> None:
    """Refused, or replayed so that they are a mailbox of ours, quoted, with no route."""
    runs = len(backend.visits())
    replies = gate.converse([EHLO, MAIL, b"RCPT TO:<%b>" % recipient, b"QUIT"], manner)
    assert short(replies[2]) in ("554 5.7.1", "501 5.1.3")
    assert backend.since(runs) == []


def test_case_22_a_quoted_local_part_stays_quoted(gate: Gate, backend: Scripted) -> None:
    """And a route that leads to us is dropped."""
    runs = len(backend.visits())
    asked = [b'RCPT TO:<"a b"@example.org>', b'RCPT TO:<"a\\"b"@example.org>', b"RCPT TO:<@x.example:u@example.org>"]
    assert shorts(gate.converse([EHLO, MAIL, *asked, b"QUIT"]))[2:5] == ["250", "250", "250"]
    (visit,) = backend.since(runs)
    heard = [line for line in visit.lines if line.startswith(b"RCPT")]
    assert heard == [b'RCPT TO:<"a b"@example.org>', b'RCPT TO:<"a\\"b"@example.org>', b"RCPT TO:<u@example.org>"]


def test_case_22_routing_that_is_allowed(backend: Scripted, tmp_path: Path) -> None:
    """By Postfix's option."""
    with gated(backend.argv, tmp_path, parameters=("allow_untrusted_routing=yes",)) as gate:
        assert shorts(gate.converse([EHLO, MAIL, b"RCPT TO:<u%other.example@example.org>"]))[2] == "250"


@pytest.mark.parametrize("postmaster", [b"postmaster", b"PostMaster"])
@every_manner
def test_case_23_postmaster_passes_everything(
    backend: Scripted, refusing: Gate, manner: Manner, postmaster: bytes
) -> None:
    """Bare, in any case; postmaster@example.org does not."""
    runs = len(backend.visits())
    asked = [b"RCPT TO:<postmaster@example.org>", b"RCPT TO:<%b>" % postmaster]
    replies = refusing.converse([EHLO, MAIL, *asked, b"DATA", Content(b"x\r\n.\r\n"), b"QUIT"], manner)
    assert [short(reply)[:3] for reply in replies[2:]] == ["553", "250", "354", "250", "221"]
    (visit,) = backend.since(runs)
    assert visit.input.lower().count(b"rcpt to:<") == 1
    assert b"rcpt to:<postmaster>\r\n" in visit.input.lower()


@pytest.fixture(scope="module")
def refusing(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that refuses every stranger by $RBLSMTPD."""
    folder = tmp_path_factory.mktemp("refusing")
    rules = '127.0.0.1:allow,TCPREMOTEIP="192.0.2.7",RBLSMTPD="-not you"\n:allow\n'
    with gated(backend.argv, folder, rules=rules) as gate:
        yield gate


@pytest.fixture(scope="module")
def missing(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate without rcpthosts."""
    folder = tmp_path_factory.mktemp("missing")
    control = controls(folder / "control", rcpthosts=None)
    with gated(backend.argv, folder, control=control) as gate:
        yield gate


class TestControlFiles:
    """Case 24, and that files are read as they are now."""

    @every_manner
    def test_case_24_without_rcpthosts_nobody_relays(self, backend: Scripted, missing: Gate, manner: Manner) -> None:
        """451 4.3.0 for every recipient with a domain, no backend, one warning of each process."""
        runs = len(backend.visits())
        asked = [b"RCPT TO:<u@example.org>", b"RCPT TO:<u@other.example>"]
        assert shorts(missing.converse([EHLO, MAIL, *asked], manner))[2:] == ["451 4.3.0", "451 4.3.0"]
        assert backend.since(runs) == []
        log = missing.wait_log(b"smtpgate: warning: ", b"rcpthosts")
        assert log.count(b"/rcpthosts: ") == 2, log  # the master looks at its start

    def test_case_24_unreadable_is_missing(self, backend: Scripted, tmp_path: Path) -> None:
        """A folder in its place cannot be read even by root."""
        control = controls(tmp_path / "control", rcpthosts=None)
        (control / "rcpthosts").mkdir()
        with gated(backend.argv, tmp_path, control=control) as gate:
            assert shorts(gate.converse([EHLO, MAIL, b"RCPT TO:<u@example.org>"]))[2] == "451 4.3.0"

    def test_a_domain_that_comes_and_goes(self, backend: Scripted, tmp_path: Path) -> None:
        """rcpthosts counts as it is now, without a reload; removed, it is 451 until it is there again."""
        control = controls(tmp_path / "control")

        def asked(gate: Gate) -> str:
            return shorts(gate.converse([EHLO, MAIL, b"RCPT TO:<u@new.example>"]))[2]

        with gated(backend.argv, tmp_path, control=control) as gate:
            assert asked(gate) == "554 5.7.1"
            controls(control, rcpthosts="example.org\nnew.example")
            until(lambda: asked(gate) == "250", "the new domain")
            controls(control, rcpthosts=None)
            until(lambda: asked(gate) == "451 4.3.0", "no rcpthosts")
            controls(control)
            until(lambda: asked(gate) == "554 5.7.1", "the old one")

    def test_unknown_recipients(self, backend: Scripted, tmp_path: Path) -> None:
        """validrcptto.cdb: 550 5.1.1 for who is not in it, but no word of it to a domain that is not ours."""
        control = controls(tmp_path / "control")
        keys = "".join(f"+{len(key)},0:{key}->\n" for key in ("known@example.org", "@all.example"))
        subprocess.run(
            [theirs("cdbmake"), control / "validrcptto.cdb", tmp_path / "tmp"], input=f"{keys}\n".encode(), check=True
        )
        controls(control, rcpthosts="example.org\nall.example")
        asked = [b"known@example.org", b"Known@Example.ORG", b"other@example.org", b"x@all.example", b"x@other.example"]
        with gated(backend.argv, tmp_path, control=control) as gate:
            replies = gate.converse([EHLO, MAIL, *(b"RCPT TO:<%b>" % who for who in asked)])
        assert shorts(replies)[2:] == ["250", "250", "550 5.1.1", "250", "554 5.7.1"]

    def test_a_backend_that_is_less_generous(self, tmp_path: Path) -> None:
        """The gate's relay_domains does not open the backend: its 553 is the client's, and nothing is queued."""
        control = controls(tmp_path / "control")
        backend = NotQmail(tmp_path / "backend", control)
        parameters = ("relay_domains=other.example",)
        with gated(
            backend.argv, tmp_path, control=control, parameters=parameters, variables=backend.environment
        ) as gate:
            replies = gate.converse([EHLO, MAIL, b"RCPT TO:<u@other.example>", b"DATA", b"QUIT"], source=STRANGER)
        assert replies[2] == b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
        assert short(replies[3]) == "554 5.5.1"
        assert backend.messages() == []
