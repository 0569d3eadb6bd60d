"""pysmtpgate --import-spamdyke as it is run: what it prints is a main.cf that --check takes and a gate obeys."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver
from tests.support.backends.known import Scripted
from tests.support.gate import PATIENT, controls, gated
from tests.support.nameserver import healthy
from tests.support.programs import ours
from tests.support.screened import environment
from tests.support.waiting import PATIENCE

#: As a panel writes it: one file with lists beside it. FOLDER stands for its place.
PANEL = """
log-level=info
local-domains-file=FOLDER/control/rcpthosts
max-recipients=50
idle-timeout-secs=180
graylist-level=always-create-dir
graylist-dir=FOLDER
graylist-min-secs=300
graylist-max-secs=1814400
sender-blacklist-file=FOLDER/senders
recipient-blacklist-file=FOLDER/recipients
ip-whitelist-file=FOLDER/ips
rdns-whitelist-file=FOLDER/names
greeting-delay-secs=5
check-dnsrbl=bl.example
reject-empty-rdns
reject-unresolvable-rdns
reject-missing-sender-mx
"""
#: As the one that comes with 5.0, with TLS and logins.
FRESH = """
# comment
reject-empty-rdns
reject-unresolvable-rdns
reject-sender=no-mx
log-level=info
idle-timeout-secs=300
dns-blacklist-entry=bl.example
dns-whitelist-entry=al.example
smtp-auth-level=none
tls-level=none
qmail-rcpthosts-file=FOLDER/control/rcpthosts
qmail-morercpthosts-cdb=FOLDER/control/morercpthosts.cdb
"""
#: Whoever is inside sends, and all else is spared by somebody.
INSIDE = """
qmail-rcpthosts-file=FOLDER/control/rcpthosts
ip-relay-entry=192.0.2.8
ip-relay-file=FOLDER/ips
rdns-relay-entry=.example.org
relay-level=normal
filter-level=normal
sender-whitelist-entry=@friend.example
recipient-whitelist-entry=@example.org
rdns-whitelist-entry=.friend.example
ip-whitelist-entry=0.0.0.0/0
dns-whitelist-entry=al.example
rhs-blacklist-entry=bl.example
"""
FILES = {
    "senders": "@spam.example\nbad@example.net\n",
    "recipients": "# nobody\nnobody@example.org\n",
    "ips": "198.51.100.\n203.0.113.0/28\n",
    "names": ".friend.example\n",
}


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server with two zones that are well."""
    with nameserver.running(healthy("bl.example", "al.example"), tmp_path_factory.mktemp("dns")) as server:
        yield server


def imported(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What is said of a spamdyke.conf, which is also in the folder as main.cf."""
    controls(folder / "control")
    for name, lines in FILES.items():
        (folder / name).write_text(lines)
    (folder / "spamdyke.conf").write_text(text.replace("FOLDER", str(folder)))
    done = _run("--import-spamdyke", "spamdyke.conf", folder=folder)
    (folder / "main.cf").write_text(done.stdout)
    return done


def _run(*words: str, folder: Path, dns: str = "127.0.0.1@9") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ours("pysmtpgate"), *words],
        cwd=folder,
        env=environment(dns),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    "text", [PANEL, FRESH, INSIDE, PANEL + FRESH + INSIDE], ids=["panel", "fresh", "inside", "all"]
)
def test_what_is_printed_is_a_gate_without_an_error_and_no_open_relay(text: str, tmp_path: Path, dns: str) -> None:
    """Of a configuration that can be said whole, by the word of our own check."""
    done = imported(text, tmp_path)
    checked = _run("--check", "-f", "main.cf", folder=tmp_path, dns=dns)

    assert (done.stderr, done.returncode) == ("", 0)
    assert checked.returncode in (0, 1), checked.stdout + checked.stderr
    assert ": error: " not in checked.stdout
    assert "strangers" not in checked.stdout


def test_what_is_not_said_is_on_standard_error_and_in_the_exit_code(tmp_path: Path) -> None:
    """And as a comment in what is printed, which is a gate nevertheless."""
    done = imported(f"{INSIDE}reject-ip-in-cc-rdns\npolicy-url=http://example.org/\n", tmp_path)

    said = done.stderr.splitlines()
    assert (len(said), done.returncode) == (2, 1)
    assert said[0].startswith("smtpgate: not said: spamdyke.conf:14: reject-ip-in-cc-rdns: the gate does not look for")
    assert all(f"# {line.removeprefix('smtpgate: ')}\n" in done.stdout for line in said)
    assert _run("--check", "-f", "main.cf", folder=tmp_path).returncode < 100


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Is a failure, and no configuration that lacks all of it."""
    done = _run("--import-spamdyke", "spamdyke.conf", folder=tmp_path)

    assert (done.returncode, done.stdout) == (111, "")
    assert done.stderr == "smtpgate: fatal: unable to read spamdyke.conf: file does not exist\n"


def test_it_takes_no_other_option(tmp_path: Path) -> None:
    """Nor a program."""
    for words in (("--check",), ("-o", "mynetworks=192.0.2.1"), ("program",)):
        assert _run("--import-spamdyke", "spamdyke.conf", *words, folder=tmp_path).returncode == 100


def test_a_gate_with_it_spares_and_refuses_as_it_says(tmp_path: Path, dns: str) -> None:
    """Whoever is on a whitelist passes the blacklists, and does not relay."""
    imported(
        "ip-blacklist-entry=192.0.2.0/28\nrejection-text-ip-blacklist=Not from there\n"
        "sender-whitelist-entry=@friend.example\nip-relay-entry=192.0.2.8\n",
        tmp_path,
    )
    backend = Scripted(tmp_path / "backend")
    conversation = [
        b"EHLO client.example.net",
        b"MAIL FROM:<a@friend.example>",
        b"RCPT TO:<r@elsewhere.example>",
        b"RCPT TO:<r@example.org>",
        b"RSET",
        b"MAIL FROM:<a@example.net>",
        b"RCPT TO:<r@example.org>",
    ]

    with gated(
        backend.argv, tmp_path, file=tmp_path / "main.cf", parameters=PATIENT, variables={"DNSCACHEIP": dns}
    ) as gate:
        replies = gate.converse(conversation)

    assert replies[2] == b"554 5.7.1 <r@elsewhere.example>: Relay access denied"
    assert replies[3] == b"250 recipient ok"
    assert replies[6] == b"554 5.7.1 <unknown[192.0.2.7]>: Client host rejected: Not from there"
