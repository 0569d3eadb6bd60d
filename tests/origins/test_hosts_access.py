"""hosts.allow and hosts.deny beside libwrap, which tcpd, sshd and others read them with."""

import itertools
import random
import subprocess
from pathlib import Path

import pytest

from tests.support.origins import Client, asked_libwrap, held_against, words
from tests.support.programs import theirs
from ucspi_py.core.importers.hosts.access import import_hosts

_CLIENTS = [
    Client(ip, host)
    for ip in ("10.0.0.5", "10.0.1.5", "8.0.0.1", "130.15.3.4", "1.2.3.4", "::1", "2001:db8::5", "fe80::1")
    for host in (None, "x.example.org", "example.org", "badexample.org", "loc", "x.example.org.evil.net", "paranoid")
]
_DAEMONS = words("""
smtpd ALL all SMTPD sshd *d s?tpd * smtpd@ALL smtpd@* smtpd@server sshd@ALL 25 KNOWN smtp. ALL@x smtpd@""")
_PATTERNS = words("""
ALL all Known KNOWN LOCAL unknown PARANOID 10. 10.0.0. 10.0.0.5 10.0.0.5. 10 10.0 300. 300.1 130.15.0-255. 010. .5 .1
010.0.0.5 10.0.0.05 .example.org .EXAMPLE.org example.org Example.ORG x.example.org x.example.org. *.example.org
*example.org ?.example.org *.EXAMPLE.ORG * 10.* 10.0.0.* 10.0.?.5 1*.5 *.5 010.* 10.0.0.0/8 10.0.0.0/08 10.0.0.5/24
10.0.0.5/32 10.0.0.0/33 10.0.0.0/0 0.0.0.0/0 0.0.0.0/0.0.0.0 10.3.0.0/255.0.0.0 10.0.0.0/255.0.0.0
10.0.0.5/255.255.255.255 10.0.0.0/255.0.255.0 10.0.0.0/8.0.0.0 010.0.0.0/8 0x8.0.0.0/8 08.0.0.0/8 8.0.0.0/8x
8.0.0.0/ 8.0.0.0/-1 8.0.0.0/0xff.0.0.0 10.0.0/24 10./8 [::1] [::1]/128 [::]/0 [2001:db8::]/32 [2001:DB8::7]/32
[2001:db8::5 [10.0.0.5] [::1/128] [::] [fe80::1%eth0] [fe80::1]/129 [fe80::]/10x [::1.2.3.4] ALL@10.0.0.5
unknown@10.0.0.5 joe@10.0.0.5 KNOWN@ALL ALL@ALL @net @ /nonexistent loc 2001:db8::5 h!x # a? 10.0.0.5@""")
_OPTIONS = words(
    """
allow|ALLOW|deny|Deny|setenv X y|setenv X|setenv=X y|setenv X=y|setenv|setenv X %h|setenv X a\\:b||nice 5|nice|nice=3
nice abc|severity mail.info|severity info|severity mail|severity bogus.x|severity mail.info.x|umask 022|umask 999|umask
umask 0x1|linger 4|linger x|linger|rfc931|rfc931 5|rfc931 x|keepalive|keepalive x|banners /nonexistent|banners|bogus
allow x|user nosuch|group nosuch|spawn|aclexec /bin/false|NICE""",
    "|",
)
_SAYABLE = ["ALL", "KNOWN", "10.", "10.0.0.5", "10.0.0.0/23", "8.*", "[::]/0", ".example.org", "x.example.org", "*.net"]


def _list(draw: random.Random, words: list[str]) -> str:
    some = [draw.choice(words) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
    if draw.random() < 0.25:
        some += [draw.choice(("EXCEPT", "except", "Except")), _list(draw, words)]
    return draw.choice((" ", ", ", ",", " \\\n ")).join(some)


def _file(draw: random.Random, patterns: list[str], options: list[str]) -> str:
    lines = []
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        daemons = "smtpd" if draw.random() < 0.6 else _list(draw, _DAEMONS)
        line = draw.choice((": ", ":", " :\t")).join([daemons, _list(draw, patterns)])
        some = [draw.choice(options) for _ in range(draw.choice((0, 0, 0, 0, 1, 2)))]
        lines.append(draw.choice(("", "", "", " ")) + ": ".join([line, *some]) + "\n")
    return "".join(lines)


def _hold(folder: Path, pairs: list[tuple[str, str]]) -> None:
    """Hold the rules of pairs of files against libwrap; a paranoid client has no name with tcpserver -p."""
    clients = [client._replace(host=None) if client.host == "paranoid" else client for client in _CLIENTS]
    answers = asked_libwrap(str(folder), [(*pair, _CLIENTS) for pair in pairs])
    for (allow, deny), allowed in zip(pairs, answers, strict=True):
        held_against(import_hosts(allow, deny, frozenset(["smtpd"])), clients, allowed, (allow, deny))


@pytest.mark.parametrize(("patterns", "options"), [(_PATTERNS, _OPTIONS), (_SAYABLE, ["deny"])], ids=["any", "sayable"])
def test_nobody_gets_in_whom_libwrap_keeps_out(tmp_path: Path, patterns: list[str], options: list[str]) -> None:
    """Of random pairs of files, clients get what libwrap gives them, or are denied and it is named why."""
    draw = random.Random(1)
    files = [_file(draw, patterns, options) for _ in range(400)]
    pairs = [(allow, draw.choice((deny, "ALL: ALL\n"))) for allow, deny in zip(files[::2], files[1::2], strict=True)]

    _hold(tmp_path, pairs)


def test_a_pattern_is_about_those_about_whom_libwrap_finds_it(tmp_path: Path) -> None:
    """Each single pattern, as the only one that allows and as the only one that denies."""
    _hold(tmp_path, [(f"smtpd: {one}\n", "ALL: ALL\n") for one in _PATTERNS])
    _hold(tmp_path, [("", f"smtpd: {one}\n") for one in _PATTERNS])


def test_a_line_that_libwrap_cannot_read_ends_the_file(tmp_path: Path) -> None:
    """Behind a line that is too long or has no newline hosts.allow allows nobody, hosts.deny denies all."""
    for line, length in itertools.product(("#", "sshd: ALL", "smtpd: \\\n9.9.9.9"), (2046, 2047)):
        long = line + " " * (length - len(line.replace("\\\n", "")))
        _hold(tmp_path, [(f"{long}\nALL: ALL\n", "ALL: ALL\n"), ("", f"{long}\n")])
    _hold(tmp_path, [("smtpd: 1.2.3.4", "ALL: ALL\n"), ("", "#"), ("", "ALL: 1.2.3.4\\\n")])


def test_a_line_that_twists_lets_nobody_in(tmp_path: Path) -> None:
    """tcpdmatch says that a twisted client gets another program, and the rules deny."""
    (tmp_path / "hosts.allow").write_text("smtpd: ALL: twist /bin/echo no\n")
    command = [theirs("tcpdmatch"), "-d", "smtpd", "10.0.0.5"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert b"access:   delegated" in done.stdout, done
    found = import_hosts("smtpd: ALL: twist /bin/echo no\n", "", frozenset(["smtpd"]))
    assert found.lines == (b":deny",) and found.unsaid
