"""pyrblcheck: what the zones say of an address, and whether they are well."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import nameserver
from tests.support.nameserver import healthy, lists
from tests.support.screened import environment
from tests.support.waiting import PATIENCE
from tests.support.warm import Warm, standing

PROGRAMS = Warm("pyrblcheck")
_stands = standing(PROGRAMS)

IP, CLEAN, FAILS = "192.0.2.7", "192.0.2.8", "192.0.2.9"

RECORDS = {
    **healthy("bl", "al", "down.example"),
    **lists("bl", IP, text="see http://bl/"),
    **lists("al", IP, "127.0.5.2"),
    **lists("key.bl", IP, "127.0.0.4", "from key.bl"),
    **lists("hostile", IP, text=r'"a\013\010\027[2Jb"'),
    "9.2.0.192.bl A": "servfail",
    "*.world A": ["127.0.0.2"],
    "*.spared A": ["127.0.0.2"],
    "1.0.0.127.spared TXT": ["127.0.0.1 is not listed"],
    "*.error A": ["127.255.255.254"],
    "*.down A": "servfail",
}

RUN_SCRIPT = """#!/bin/sh
# pyrblsmtpd, the program we don't want to restart
exec 2>&1
QMAILDUID=`id -u qmaild`
exec softlimit -m 20000000 \\
  pytcpserver -v -R -l "$LOCAL" -c 40 \\
    -x /etc/tcp.smtp.cdb 0 smtp \\
    /usr/local/bin/pyrblsmtpd -b -r 'bl=127.0.0.[2..11]' \\
      -a al \\
      -r hidden@key.bl \\
    qmail-smtpd 2>&1
"""


@pytest.fixture(scope="module")
def dns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A name server that knows RECORDS."""
    with nameserver.running(RECORDS, tmp_path_factory.mktemp("dns")) as server:
        yield server


def check(dns: str, *words: str) -> tuple[int, str, str]:
    """The exit code, and what is said on both descriptors."""
    done = PROGRAMS.run("pyrblcheck", *words, env=environment(dns))
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def rows(dns: str, *words: str) -> list[dict[str, Any]]:
    """What it says with --json, without the times."""
    found: list[dict[str, Any]] = json.loads(check(dns, "--json", *words)[1])
    for row in found:
        milliseconds = row.pop("milliseconds", 0)
        assert 0 <= milliseconds < 1000 * PATIENCE
    return found


def test_a_table_for_people(dns: str) -> None:
    """One line for each zone, and the verdict."""
    code, told, complaint = check(dns, "-r", "bl", "-a", "al", "-r", "hidden@key.bl", IP, CLEAN)

    assert (code, complaint) == (1, "")
    lines = [line.split() for line in told.splitlines()]
    assert [line[:3] for line in lines] == [
        [IP, "bl", "127.0.0.2"],
        [IP, "hidden", "127.0.0.4"],
        [IP, "al", "127.0.5.2"],
        [f"{IP}:", "451", "see"],
        [CLEAN, "bl", "clean"],
        [CLEAN, "hidden", "clean"],
        [CLEAN, "al", "clean"],
        [f"{CLEAN}:", "accepted"],
    ]
    assert lines[0][4:] == ["ms", "see", "http://bl/"]
    assert "key.bl" not in told


def test_a_dead_name_server_beside_a_good_one_costs_nothing(dns: str) -> None:
    """It is asked first, and nobody waits for it: the next turn would come after half a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        servers = f"127.0.0.1@{dead.getsockname()[1]},{dns}"

        _, told, _ = check(servers, "--json", "-r", "bl", "-a", "al", "-r", "hidden@key.bl", IP, CLEAN)

    milliseconds = [row["milliseconds"] for row in json.loads(told) if "zone" in row]
    assert len(milliseconds) == 6
    assert max(milliseconds) < 400


def test_json_for_programs(dns: str) -> None:
    """Every zone's answer and text, then the verdict."""
    assert rows(dns, "-r", "bl", "-r", "hidden@key.bl", IP) == [
        {"ip": IP, "zone": "bl", "answer": "127.0.0.2", "text": "see http://bl/", "found": False},
        {"ip": IP, "zone": "hidden", "answer": "127.0.0.4", "text": "from hidden", "found": False},
        {"ip": IP, "verdict": "451 see http://bl/", "found": True},
    ]


def test_a_hostile_text_is_harmless(dns: str) -> None:
    """Neither a line end nor an escape reaches the terminal."""
    _, told, _ = check(dns, "-r", "hostile", IP)

    assert len(told.splitlines()) == 2
    assert "a???[2Jb" in told
    assert "\x1b" not in told


def test_who_is_not_asked_about_is_not_clean(dns: str) -> None:
    """Private addresses, and IPv6 where the zone does not know it."""
    found = rows(dns, "-r", "bl", "10.1.2.3", "2001:DB8::1", "::ffff:192.0.2.7")

    assert [(row["ip"], row.get("answer")) for row in found if "zone" in row] == [
        ("10.1.2.3", "not asked"),
        ("2001:db8::1", "not asked"),
        (IP, "127.0.0.2"),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-r", "bl", CLEAN), 0),
        (("-r", "bl", IP), 1),
        (("-r", "bl", CLEAN, IP), 1),
        (("-a", "al", IP), 0),
        (("-r", "bl", FAILS), 111),
        (("-r", "bl", FAILS, IP), 1),
        (("-r", "error", CLEAN), 111),
        (("--zones", "-r", "bl", "-a", "al"), 0),
        (("--zones", "-r", "bl", "-r", "world"), 1),
        (("--zones", "-r", "spared"), 1),
        (("--zones", "-r", "error"), 1),
        (("--zones", "-r", "down"), 1),
        (("--zones", "-r", "empty"), 1),
        (("--zones", "-r", "empty+notest"), 0),
        (("--zones", "-r", "down+notest"), 1),
        (("--zones", "-r", "bl", IP), 1),
        ((), 100),
        ((IP,), 100),
        (("-r", "bl"), 100),
        (("-r", "bl", "mail.example.org"), 100),
        (("-r", "bl", "192.0.2"), 100),
        (("-r", "bl=1", IP), 100),
        (("-z", IP), 100),
        (("--from", "/nonexistent/run", IP), 111),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else words,
)
def test_exit_codes(words: tuple[str, ...], code: int, dns: str) -> None:
    """For cron: 0 is good, 1 is found, 111 is not known, 100 is asked wrongly."""
    assert check(dns, *words)[0] == code


def test_zones_are_checked(dns: str) -> None:
    """Each with its sentence; hidden names stay hidden."""
    found = rows(dns, "--zones", "-r", "bl", "-r", "w@world", "-r", "error", "-r", "down", "-r", "empty", "-a", "al")

    assert [(row["zone"], row["well"], row["found"]) for row in found] == [
        ("bl", True, False),
        ("w", False, True),
        ("error", False, True),
        ("down", False, True),
        ("empty", False, True),
        ("al", True, False),
    ]
    sentences = ["", "lists 127.0.0.1", "answers 127.255.255.254", "cannot be asked: temp", "does it still live", ""]
    for row, sentence in zip(found, sentences, strict=True):
        assert sentence in row["remark"]
        assert bool(row["remark"]) == bool(sentence)
    assert "world" not in check(dns, "--zones", "-r", "w@world")[1]
    (spared,) = rows(dns, "--zones", "-r", "spared+notest")
    assert re.fullmatch(r"it lists 127\.\d+\.\d+\.254, which no client has; does it list everybody\?", spared["remark"])


def test_the_zones_of_a_run_script(dns: str, tmp_path: Path) -> None:
    """In written order, with the flags before them, over continued lines, past comments."""
    script = tmp_path / "run"
    script.write_text(RUN_SCRIPT)

    found = rows(dns, "--from", str(script), IP)
    assert [(row["zone"], row["answer"]) for row in found[:-1]] == [
        ("bl", "127.0.0.2"),
        ("al", "127.0.5.2"),
        ("hidden", "127.0.0.4"),
    ]
    assert found[-1]["verdict"] == "553 see http://bl/"
    assert [row["zone"] for row in rows(dns, "--zones", "--from", str(script))] == ["bl", "al", "hidden"]
    assert [row["zone"] for row in rows(dns, "--zones", "--from", str(script), "-r", "world")][3:] == ["world"]


def test_the_zones_of_every_screen(dns: str, tmp_path: Path) -> None:
    """Two pyrblsmtpd in a row are two screens: all zones are checked, and the first that refuses decides."""
    script = tmp_path / "run"
    script.write_text("exec tcpserver 0 smtp rblsmtpd -a al -r empty rblsmtpd -b -r bl qmail-smtpd\n")

    found = rows(dns, "--from", str(script), IP)
    assert [row["zone"] for row in found[:-1]] == ["al", "empty", "bl"]
    assert found[-1]["verdict"] == "553 see http://bl/"
    assert len(rows(dns, "--zones", "--from", str(script))) == 3
    script.write_text("exec tcpserver 0 smtp rblsmtpd -r bl rblsmtpd -r empty qmail-smtpd\n")
    assert rows(dns, "--from", str(script), IP)[-1]["verdict"] == "451 see http://bl/"


def test_the_zones_of_a_list(dns: str, tmp_path: Path) -> None:
    """One a line with whatever may be written of a zone, texts with blanks too."""
    file = tmp_path / "zones"
    file.write_text("# our zones\n\nbl*2\n  hidden@key.bl=127.0.0.4*-1:It's %IP%, see rblsmtpd\nempty:go away\n")

    found = rows(dns, "--from", str(file), IP)
    assert [row["zone"] for row in found[:-1]] == ["bl", "hidden", "empty"]
    assert found[-1]["verdict"] == "451 see http://bl/"


def test_a_script_that_cannot_be_read(dns: str, tmp_path: Path) -> None:
    """Is a sentence and exit code 111, no "accepted"."""
    script = tmp_path / "run"
    script.write_text("#!/bin/sh\nexec tcpserver 0 smtp rblsmtpd $RBLS qmail-smtpd\n")

    code, told, complaint = check(dns, "--from", str(script), IP)

    assert (code, told) == (111, "")
    assert f"rblcheck: fatal: unable to read {script}: only a shell knows what $RBLS is" in complaint


@pytest.mark.parametrize("word", ["a.test b.test", "a,b", "http://bl/", "zen..x", "192.0.2.1"])
def test_a_zone_that_means_nothing(word: str, dns: str) -> None:
    """Is named, with what was expected."""
    code, told, complaint = check(dns, "-r", word, IP)

    assert (code, told) == (100, "")
    assert f"rblcheck: fatal: zone '{word}' must be [alias@]name" in complaint
