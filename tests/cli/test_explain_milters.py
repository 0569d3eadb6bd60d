"""pyrules explain --session: what milters say of an example message, and that they are not asked without one."""

import json
from pathlib import Path

import pytest

from tests.cli.test_explain_session import PROGRAMS, TO_US, explain, runs, told
from tests.support.gate import controls
from tests.support.milter import CLOSES, CONTINUE, scripted_milter
from tests.support.milters.dkim import Key, opendkim
from tests.support.warm import standing
from ucspi_py.core.milter.packet import packed

_stands = standing(PROGRAMS)

MESSAGE = b"From: s@example.net\nSubject: x\n\nbody\n"
SPAM = packed(b"y", b"554 5.7.1 Spam\0")


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The folder of a service with a gate, and a message."""
    runs(tmp_path, "pysmtpgate -f main.cf smtpd", "-H -R -l mx.example.org")
    (tmp_path / "message").write_bytes(MESSAGE)
    return tmp_path


def asks(service: Path, milters: str) -> None:
    """Have its gate ask milters."""
    lists = "smtpd_relay_restrictions = reject_unauth_destination\nmydestination = example.org\n"
    own = f"myhostname = mx.example.org\nqmail_control = {controls(service / 'control')}\nlocal_recipient_maps =\n"
    (service / "main.cf").write_text(f"{own}{lists}smtpd_milters = {milters}\n")


def with_message(service: Path, ip: str = "192.0.2.7") -> list[str]:
    """What is said of a client that sends the message, without blanks before it."""
    return [line.strip() for line in told(explain(service, ip, *TO_US, "--message", str(service / "message")))]


def steps(lines: list[str]) -> list[str]:
    """Commands of the client, and what milters say."""
    return [line for line in lines if line.startswith(("EHLO", "MAIL", "RCPT", "DATA", "(", "milter ", "> 5", "> 4"))]


def test_without_a_message_no_milter_is_asked(service: Path) -> None:
    """Those that count clients would count one that there is not."""
    with scripted_milter() as milter:
        asks(service, f"{milter.service}, unix:/none")
        lines = told(explain(service, "192.0.2.7", *TO_US))

    place = lines.index("milters")
    assert lines[place + 1 : place + 3] == [
        f"    {milter.service}: is not asked: it would note this client; --message has it asked",
        "    unix:/none: is not asked: it would note this client; --message has it asked",
    ]
    assert "192.0.2.7 comes to smtpd" in lines
    assert milter.connections == 0


def test_the_milters_of_a_client_are_those_of_its_address(service: Path) -> None:
    """As a table has them."""
    asks(service, "unix:/none\nsmtpd_milter_maps = inline:{192.0.2.8=DISABLE, {192.0.2.9=unix:/own unix:/other}}")
    lines = {ip: told(explain(service, ip, *TO_US)) for ip in ("192.0.2.7", "192.0.2.8", "192.0.2.9")}

    milters = {ip: [line.partition(": is")[0].strip() for line in lines[ip] if "--message" in line] for ip in lines}
    assert list(milters.values()) == [["unix:/none"], [], ["unix:/own", "unix:/other"]]


def test_each_milter_says_what_it_does_with_the_message(service: Path) -> None:
    """At each command, in their order; the message is as they leave it."""
    with scripted_milter() as one, scripted_milter(service / "two") as two:
        one.says[b"E"] = packed(b"h", b"X-Seen\0yes\0") + packed(b"+", b"<t@example.org>\0") + CONTINUE
        two.says[b"M"] = packed(b"a")
        asks(service, f"{one.service} unix:{service}/two")
        lines = with_message(service)

    first, second = f"milter {one.service}", f"milter unix:{service}/two"
    assert steps(lines) == [
        "(connected)",
        f"{first}: goes on",
        f"{second}: goes on",
        "EHLO [192.0.2.7]",
        f"{first}: goes on",
        f"{second}: goes on",
        "MAIL FROM:<s@example.net>",
        f"{first}: goes on",
        f"{second}: accepts, and hears no more of this message",
        "RCPT TO:<r@example.org>",
        f"{first}: goes on",
        "DATA",
        f"{first}: goes on",
        f"(the message, {len(MESSAGE)} bytes)",
        f"{first}: goes on",
    ]
    place = len(lines) - 1 - lines[::-1].index(f"{first}: goes on")
    assert lines[place - 1] == "+X-Seen: yes"
    assert lines[place + 1 : place + 4] == [
        "adds X-Seen: yes",
        "adds recipient <t@example.org>",
        "> 250 as the program says",
    ]


@pytest.mark.parametrize(
    ("command", "step"),
    [(b"C", "MAIL FROM:<s@example.net>"), (b"M", "MAIL FROM:<s@example.net>"), (b"R", "RCPT TO:<r@example.org>")],
)
def test_a_refusal_is_the_milters(service: Path, command: bytes, step: str) -> None:
    """It is not said that the gate itself refuses."""
    with scripted_milter() as milter:
        milter.says[command] = SPAM
        asks(service, milter.service)
        lines = with_message(service)

    assert f"milter {milter.service}: refuses: 554 5.7.1 Spam" in lines
    assert lines[-1] in (
        f"192.0.2.7 is refused at {step}: 554 5.7.1 Spam",
        "192.0.2.7 is refused at (connected): 554 mx.example.org ESMTP not accepting connections",
    )
    assert not [line for line in lines if "the gate itself does" in line]


def test_a_milter_that_fails_is_told_with_its_default_action(service: Path) -> None:
    """And so is one that is not there."""
    with scripted_milter() as milter:
        milter.says[b"L"] = CLOSES
        asks(service, f"{{ unix:{service}/none, default_action=accept }} {milter.service}")
        lines = with_message(service)

    none, closes = f"milter unix:{service}/none", f"milter {milter.service}"
    assert f"{none}: fails: file does not exist; its default action is done, accept" in lines
    assert f"{closes}: fails: it has closed the connection; its default action is done, tempfail" in lines
    assert f"192.0.2.7 is refused at (the message, {len(MESSAGE)} bytes): 451 4.7.1 Service" in " ".join(lines)


def test_programs_are_told_the_same(service: Path) -> None:
    """Each step with its milters."""
    with scripted_milter() as milter:
        milter.says[b"E"] = packed(b"i", b"\0\0\0\0X-Seen\0yes\0") + CONTINUE
        asks(service, milter.service)
        done = explain(service, "192.0.2.7", *TO_US, "--message", str(service / "message"), "--json")

    last = [step for step in json.loads(done.stdout)["steps"] if step["milters"]][-1]
    assert last["milters"] == [
        {
            "milter": milter.service,
            "verdict": "goes on",
            "refuses": False,
            "changes": ["adds X-Seen: yes above all headers"],
        }
    ]


def test_opendkim_signs_the_mail_of_one_client_alone(service: Path) -> None:
    """Debian's: for others it has nothing to say of this message."""
    of_client = ("Canonicalization simple/simple", "InternalHosts 192.0.2.7")
    with opendkim(service, Key(service), *of_client) as milter:
        asks(service, milter)
        ours, others = with_message(service), with_message(service, "192.0.2.8")

    signs = "adds DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.net; s=sel;"
    assert [line[: len(signs)] for line in ours if line.startswith("adds ")] == [signs]
    assert not [line for line in others if line.startswith("adds ")]
    assert f"milter {milter}: goes on" in others
