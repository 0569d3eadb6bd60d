"""pysmtpgate --check as it is run: exit codes, tables, control files, zones, and how long it takes."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import cdblib
import pytest

from tests.support import nameserver
from tests.support.nameserver import healthy
from tests.support.programs import ours
from tests.support.screened import environment
from tests.support.waiting import PATIENCE

#: The bar of issue 15, for 300 lines and ten zones.
_BAR = 3.0
SILENT = "127.0.0.1@9"


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server of zones: one is well, one lists everybody, one has nothing, and one does not answer."""
    records = {**healthy("bl.example", "al.example"), "*.world.example A": ["127.0.0.2"], "*.slow.example A": "silent"}
    with nameserver.running(records, tmp_path_factory.mktemp("dns")) as server:
        yield server


def check(text: str, folder: Path, *words: str, dns: str = SILENT) -> tuple[int, list[str]]:
    """The exit code and the lines about a main.cf. Nothing is said on standard error."""
    (folder / "main.cf").write_text(text)
    done = subprocess.run(
        [ours("pysmtpgate"), "--check", "-f", "main.cf", *words],
        cwd=folder,
        env=environment(dns),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_the_exit_code_says_the_worst(tmp_path: Path) -> None:
    """0 with notes alone, 1 with a warning, 100 with an error."""
    note = "main.cf:1: note: biff is passed over: it belongs to the queue and its deliveries"
    warning = "main.cf:2: warning: mynetworks: 10.0.0.0/8 also holds the gateways of containers, from which"
    wrong = "-o: error: smtpd_timeout must be a time from 1s up, as in 90, 90s, 5m, 1h, 1d or 1w, not 'x'"

    assert check("", tmp_path) == (0, [])
    assert check("biff = no\n", tmp_path) == (0, [note])
    code, lines = check("biff = no\nmynetworks = 10.0.0.0/8\n", tmp_path)
    assert (code, lines[0], lines[1].startswith(warning)) == (1, note, True)
    assert check("biff = no\n", tmp_path, "-o", "smtpd_timeout=x") == (100, [note, wrong])
    code, lines = check("foo\n", tmp_path)
    assert (code, lines[0].partition(";")[0]) == (100, "main.cf:1: error: 'foo' is not name = value")


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """With 111, as for a gate."""
    words = [ours("pysmtpgate"), "--check", "-f", str(tmp_path / "missing")]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (111, "")
    assert done.stderr == f"smtpgate: fatal: unable to read {tmp_path}/missing: file does not exist\n"


def test_a_service_is_checked_with_its_options(tmp_path: Path) -> None:
    """The line of master.cf is named."""
    (tmp_path / "master.cf").write_text("smtp inet n - y - - smtpd\n  -o smtpd_delay_reject=no\n")
    text = "compatibility_level = 3.6\nsmtpd_client_restrictions = reject_non_fqdn_sender\n"

    assert check(text, tmp_path) == (0, [])
    code, lines = check(text, tmp_path, "--service", "smtp")
    assert code == 1
    assert lines[0].startswith("main.cf:2: warning: reject_non_fqdn_sender in smtpd_client_restrictions is never asked")
    code, lines = check(text, tmp_path, "--service", "smtp", "-o", "smtpd_delay_reject=yes")
    assert (code, lines) == (0, [])


def test_what_tables_say_is_looked_at(tmp_path: Path) -> None:
    """Text and cdb; of one that is damaged or that there is not, why."""
    (tmp_path / "senders").write_text("x.example REJECT\ny.example OK\nz.example HELLO\n")
    (tmp_path / "clients").write_text("/x/ OK\n/(/ OK\n")
    with open(tmp_path / "helo.cdb", "wb") as file, cdblib.Writer(file) as writer:
        writer.put(b"mx.example", b"OK")
    tables = [
        f"{kind}:{tmp_path}/{name}" for kind, name in (("hash", "senders"), ("cdb", "helo"), ("regexp", "clients"))
    ]
    senders, helo, clients = tables
    text = "smtpd_helo_required = yes\nsmtpd_recipient_restrictions =\n"
    text += f"  check_sender_access {senders}\n  check_helo_access {helo}\n  check_client_access {clients}\n"
    text += "  check_client_access hash:missing\n  reject_unauth_destination\n"

    code, lines = check(text, tmp_path)

    assert code == 1
    assert [line.partition("; ")[0] for line in lines if "passes by any OK" not in line] == [
        f"main.cf:3: warning: mail of strangers for elsewhere passes by check_sender_access {senders}, "
        "which permits y.example in line 2, and only the gate's own last check refuses it",
        f"main.cf:4: warning: mail of strangers for elsewhere passes by check_helo_access {helo}, "
        "which permits mx.example, and only the gate's own last check refuses it",
        f"main.cf:5: warning: table {clients}: line 2: a ( has no )",
        "main.cf:6: warning: table hash:missing: file does not exist",
        f"{tmp_path}/senders:3: warning: value of z.example: there is no restriction 'HELLO'",
    ]
    assert sum("passes by any OK" in line for line in lines) == 2


def test_domains_are_compared_with_rcpthosts(tmp_path: Path) -> None:
    """Where there are any."""
    text = f"qmail_control = {tmp_path}\nrelay_domains = here.example, below.there.example, other.example\n"
    assert check(text, tmp_path) == (0, [])
    (tmp_path / "rcpthosts").write_text("here.example\n.there.example\n")

    code, lines = check(text, tmp_path)

    assert code == 1
    assert [line.partition(",")[0] for line in lines] == [
        "main.cf:2: warning: other.example of relay_domains is not in rcpthosts"
    ]


def test_zones_are_asked(tmp_path: Path, dns: str) -> None:
    """By their test points; what a name server cannot say is no error."""
    zones = ("bl", "world", "gone", "slow")
    text = "compatibility_level = 3.6\nsmtpd_recipient_restrictions =\n"
    text += "".join(f"  reject_rbl_client {zone}.example\n" for zone in zones)

    code, lines = check(text, tmp_path, dns=dns)

    assert code == 1
    assert [line.partition(";")[0] for line in lines] == [
        "main.cf:4: warning: zone world.example: it lists 127.0.0.1, as no list may: it would list everybody, "
        "so it is not believed",
        "main.cf:5: warning: zone gone.example: it does not list its test point 127.0.0.2",
        "main.cf:6: warning: zone slow.example: it cannot be asked: timed out",
    ]


def test_a_long_file_with_ten_silent_zones_is_checked_within_the_bar(tmp_path: Path, dns: str) -> None:
    """They are asked at once, and not waited for any longer than one."""
    lines = ["compatibility_level = 3.6", "smtpd_recipient_restrictions ="]
    lines += [f"  reject_rbl_client zone{number}.slow.example" for number in range(10)]
    lines += [f"own{number} = a{number}.example" for number in range(287)]
    lines += ["mydestination = " + " ".join(f"$own{number}" for number in range(287))]
    assert len(lines) == 300

    def seconds() -> float:
        begun = time.monotonic()
        code, found = check("\n".join(lines) + "\n", tmp_path, dns=dns)
        assert (code, len(found)) == (1, 10)
        assert all(".slow.example: it cannot be asked: timed out; " in line for line in found)
        return time.monotonic() - begun

    assert any(seconds() < _BAR for _ in range(3)), "three times too late: a busy host may be that once"


def test_without_a_name_server_one_line_says_so(tmp_path: Path) -> None:
    """All else is checked."""
    text = "compatibility_level = 3.6\nsmtpd_recipient_restrictions = reject_rbl_client bl.example\nbiff = no\n"

    assert check(text, tmp_path) == (
        0,
        [
            "note: no name server answers, so no zone was asked whether it is well",
            "main.cf:3: note: biff is passed over: it belongs to the queue and its deliveries",
        ],
    )


def test_a_word_that_is_no_name_server_is_asked_wrongly(tmp_path: Path) -> None:
    """As for every program that asks one."""
    (tmp_path / "main.cf").write_text(
        "compatibility_level = 1\nsmtpd_sender_restrictions = reject_rbl_client bl.example\n"
    )
    words = [ours("pysmtpgate"), "--check", "-f", str(tmp_path / "main.cf")]

    done = subprocess.run(words, env={**os.environ, "DNSCACHEIP": "here"}, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (100, "")
    assert "here" in done.stderr
