"""Each command of the page about migration is taken by the program that it names."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.pages import DOCS, literals, page
from tests.support.ports import free_port
from tests.support.programs import ours
from tests.support.rules_tools import compiled_by_ours

#: What wants more than files: postgrey's records, a running service, zones.
NEEDS = re.compile(r"db5\.3_dump|--from|zen\.")
_MAIN_CF = """myhostname = mx.example.org
mydestination = example.org
mynetworks = 127.0.0.0/8
postscreen_greet_wait = 4s
"""


def commands() -> list[str]:
    """Those of our programs on the page, each in a line of its own, without what the page shows of their output."""
    lines = [line.removeprefix("$ ") for block in literals(page(DOCS / "migration.rst")) for line in block.splitlines()]
    return [line.partition("  #")[0].rstrip() for line in lines if re.search(r"(^|\| )(py\w+) ", line)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs for all."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def host(authority: Authority, tmp_path: Path) -> Path:
    """A folder with all that the page speaks of, at the paths that it has there."""
    files = {
        "etc/tcp.smtp": ":allow\n",
        "etc/postfix/main.cf": _MAIN_CF,
        "etc/postfix/client.cidr": "192.0.2.0/24 OK\n",
        "etc/hosts.allow": "ALL: 192.0.2.\n",
        "etc/hosts.deny": "ALL: ALL\n",
        "etc/ipsvd/smtp/192.0.2.1": "",
        "etc/s6/smtp/ip4/192.0.2.1_32/allow": "",
        "etc/spamdyke/blacklist_ip": "192.0.2.1\n",
        "etc/spamdyke/spamdyke.conf": "reject-empty-rdns\n",
        "main.cf": "myhostname = mx.example.org\n",
        "var/log/smtpd/current": "tcpserver: pid 1 from 192.0.2.1\ntcpserver: ok 1 :192.0.2.9:25 :192.0.2.1::9\n",
        "var/spool/relay-ctrl/allow/192.0.2.7": "",
        "home/vpopmail/etc/open-smtp": f'192.0.2.7:allow,RELAYCLIENT="",RBLSMTPD=""\t{int(time.time())}\n',
        "bin/qmail-smtpd": "#!/bin/sh\n",
        "bin/qmail-popup": "#!/bin/sh\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    pair = authority.pair("mx.example.org")
    (tmp_path / "etc/ssl").mkdir()
    for stem in ("etc/ssl/mx", "web"):
        shutil.copy(pair.certificate, tmp_path / f"{stem}.pem")
        shutil.copy(pair.key, tmp_path / f"{stem}.key")
    (tmp_path / "var/lib/relay").mkdir(parents=True)
    for name in ("etc/tcp.smtp.cdb", "new.cdb"):
        compiled_by_ours((tmp_path / "etc/tcp.smtp").read_bytes(), tmp_path / name)
    return tmp_path


def test_the_page_has_commands() -> None:
    """Of each kind."""
    assert len(commands()) > 15


def test_the_names_in_a_run_script_are_changed_once(tmp_path: Path) -> None:
    """By one command, which may be run again; paths and our own names stay."""
    [command] = [
        line
        for block in literals(page(DOCS / "migration.rst"))
        for line in block.splitlines()
        if line.startswith("sed ")
    ]
    run = tmp_path / "run"
    run.write_text("exec tcpserver -x tcp.smtp.cdb 0 smtp \\\n  rblsmtpd -r a pyrblsmtpd qmail-smtpd\n")

    for _ in range(2):
        subprocess.run(["sh", "-c", command.replace("/service/smtpd/run", str(run))], check=True)

    assert run.read_text() == "exec pytcpserver -x tcp.smtp.cdb 0 smtp \\\n  pyrblsmtpd -r a pyrblsmtpd qmail-smtpd\n"


@pytest.mark.parametrize("command", [line for line in commands() if not NEEDS.search(line)])
def test_a_command_is_taken(command: str, host: Path) -> None:
    """With files as the page means them; servers say what keeps them from starting, and nothing does."""
    words = re.sub(r"(?<![\w.])/(?=etc|var|home|srv)", f"{host}/", command)
    words = re.sub(r" (0|::|127\.0\.0\.1) (smtp|pop3|\d\d+) ", f" 127.0.0.1 {free_port()} ", words)
    words = re.sub(r" -u \w+ -g \w+", "", words)
    words = words.replace("pytcpserver ", "pytcpserver --check ").replace("--check --check", "--check")
    environment = {**os.environ, "PATH": f"{host}/bin:{Path(ours('pyrules')).parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["sh", "-c", words], cwd=host, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr + done.stdout
