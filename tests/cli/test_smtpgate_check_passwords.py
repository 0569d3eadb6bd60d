"""pysmtpgate --check looks at whoever checks passwords, as a worker will."""

import grp
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import need_root, ours
from tests.support.saslauthd import Saslauthd
from tests.support.waiting import PATIENCE

LOGINS = "smtpd_sasl_auth_enable = yes\n"
GROUP = grp.getgrnam("mail")


@pytest.fixture(scope="module")
def saslauthd() -> Iterator[Saslauthd]:
    """In a folder of root and a group, as Debian has it."""
    with Saslauthd({}) as daemon:
        folder = os.path.dirname(daemon.path)
        os.chown(folder, 0, GROUP.gr_gid)
        os.chmod(folder, 0o710)  # noqa: S103  # Debian's mode
        yield daemon


@pytest.fixture
def folder() -> Iterator[Path]:
    """One for main.cf and smtpd.conf."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def check(text: str, folder: Path, *words: str) -> list[str]:
    """The lines about who checks passwords, with a main.cf that goes on so."""
    (folder / "main.cf").write_text(LOGINS + text)
    command = [ours("pysmtpgate"), "--check", "-f", "main.cf", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return [line for line in done.stdout.splitlines() if "passwords may cross the net in clear" not in line]


def test_the_missing_group_is_named(saslauthd: Saslauthd, folder: Path) -> None:
    """And with it nothing is said."""
    path, as_nobody = saslauthd.path, ("-u", "nobody", "-g", "nogroup")
    text = f"smtpd_sasl_type = saslauthd\nsmtpd_sasl_path = {path}\n"

    assert check(text, folder, *as_nobody) == [
        f"main.cf:3: warning: user nobody is unable to connect to {path}: access denied: {os.path.dirname(path)} is "
        "for group mail, which is missing; pytcpserver -g mail has it"
    ]
    assert check(text, folder, "-u", "nobody", "-g", "mail") == []
    assert check(text, folder) == []


def test_the_guides_file_has_no_flaw(saslauthd: Saslauthd, folder: Path) -> None:
    """Postfix's default is cyrus."""
    need_root()
    conf = f"log_level: 3\npwcheck_method: saslauthd\nmech_list: plain login\nsaslauthd_path: {saslauthd.path}\n"
    (folder / "smtpd.conf").write_text(conf)

    assert check(f"cyrus_sasl_config_path = {folder}\n", folder, "-u", "nobody", "-g", "mail") == []


def test_what_does_nothing_in_smtpd_conf_is_noted(saslauthd: Saslauthd, folder: Path) -> None:
    """With its file and line."""
    conf = f"pwcheck_method: saslauthd\nmech_list: plain cram-md5\nsaslauthd_path: {saslauthd.path}\n"
    (folder / "smtpd.conf").write_text(conf)

    assert check(f"cyrus_sasl_config_path = {folder}\n", folder) == [
        f"{folder}/smtpd.conf:2: note: saslauthd cannot check CRAM-MD5, which are not offered"
    ]


def test_what_a_start_refuses_is_an_error(folder: Path) -> None:
    """auxprop; no file at all."""
    text = f"cyrus_sasl_config_path = {folder}\nsmtpd_sasl_path = smtpd\n"
    missing = check(text, folder)
    (folder / "smtpd.conf").write_text("pwcheck_method: auxprop\n")

    assert missing == [
        f"main.cf:3: error: smtpd_sasl_type cyrus needs a file smtpd.conf, and there is none of {folder}/smtpd.conf"
    ]
    assert check(text, folder) == [
        f"{folder}/smtpd.conf:1: error: of pwcheck_method saslauthd is known here, and not 'auxprop'"
    ]


def test_a_program_that_checks_nothing_is_an_error(folder: Path) -> None:
    """Open relay by argument order."""
    assert check("smtpd_sasl_type = checkpassword\nsmtpd_sasl_path = /bin/true /bin/vchkpw\n", folder) == [
        "main.cf:3: error: /bin/true checks no passwords: is the checkpassword program missing before it?"
    ]


def test_where_nobody_logs_in_nobody_is_tried(folder: Path) -> None:
    """Whatever the type."""
    assert check("smtpd_sasl_auth_enable = no\nsmtpd_sasl_type = dovecot\n", folder) == [
        "main.cf:1: warning: smtpd_sasl_auth_enable is overridden by main.cf line 2; leave one of the two out"
    ]


@pytest.mark.parametrize("option", ["-u", "-g"])
def test_a_user_is_for_a_check(option: str) -> None:
    """A gate is what the server in front is."""
    done = subprocess.run(
        [ours("pysmtpgate"), option, "mail", "true"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert done.returncode == 100
    assert "-u and -g go with --check: the server in front has its own" in done.stderr
