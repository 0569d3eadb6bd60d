"""pysmtpgate --check looks at the policy services of lists, as a worker will."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.policy_server import policy_server
from tests.support.ports import free_port
from tests.support.programs import need_root, ours
from tests.support.waiting import PATIENCE

MAIN_CF = "smtpd_relay_restrictions = reject_unauth_destination\nsmtpd_recipient_restrictions ="


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter, but for private in it."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: S103  # workers come as others
        (Path(name) / "private").mkdir(mode=0o700)
        yield Path(name)


def check(services: str, folder: Path, *words: str) -> list[str]:
    """The lines about policy services that are asked."""
    (folder / "main.cf").write_text(f"{MAIN_CF} {services}\nqueue_directory = {folder}\n")
    command = [ours("pysmtpgate"), "--check", "-f", "main.cf", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return [line for line in done.stdout.splitlines() if "policy service" in line]


def test_a_service_that_answers_has_no_flaw(folder: Path) -> None:
    """Over either kind of socket; it is not asked."""
    with policy_server() as inet, policy_server(folder / "private/policy") as unix:
        assert check(f"check_policy_service {inet.service} check_policy_service unix:private/policy", folder) == []
        assert not inet.requests
        assert not unix.requests


def test_a_service_that_is_not_there_is_named(folder: Path) -> None:
    """With its place; one that a name server has to be asked about is not tried."""
    port, we = free_port(), pwd.getpwuid(os.geteuid()).pw_name
    services = f"check_policy_service inet:localhost:{port}, check_policy_service {{ unix:private/policy, timeout=5s }}"

    assert check(f"{services}, check_policy_service inet:policy.example:1", folder) == [
        f"main.cf:2: warning: policy service inet:localhost:{port}: connection refused",
        f"main.cf:2: warning: policy service unix:private/policy: user {we} is unable to connect to "
        f"{folder}/private/policy: file does not exist",
    ]


def test_a_socket_that_the_worker_may_not_enter_is_named(folder: Path) -> None:
    """As its user, and not as us."""
    need_root()
    with policy_server(folder / "private/policy"):
        lines = check("check_policy_service unix:private/policy", folder, "-u", "nobody", "-g", "nogroup")

    assert lines == [
        "main.cf:2: warning: policy service unix:private/policy: user nobody is unable to connect to "
        f"{folder}/private/policy: access denied: no group may, {folder}/private is for user root alone"
    ]
