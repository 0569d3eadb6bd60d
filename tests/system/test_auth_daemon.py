"""Which daemon checks the passwords of a configuration."""

import asyncio
from pathlib import Path

import pytest

from tests.support.answering import run
from tests.support.dovecot import Dovecot
from tests.support.saslauthd import Saslauthd
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.auth.place import InetPlace, UnixPlace
from ucspi_py.core.gate.logins.settings import LoginSettings, SaslType
from ucspi_py.system.auth.daemon import Daemon, checker, daemon

BOTH = (b"PLAIN", b"LOGIN")
GUIDE = "log_level: 3\npwcheck_method: saslauthd\nmech_list: plain login\n"


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (SaslType.DOVECOT, "private/auth", UnixPlace("/queue/private/auth")),
        (SaslType.DOVECOT, "smtpd", UnixPlace("/queue/smtpd")),
        (SaslType.DOVECOT, "inet:127.0.0.1:12345", InetPlace("127.0.0.1", 12345)),
        (SaslType.SASLAUTHD, "smtpd", UnixPlace("/var/run/saslauthd/mux")),
        (SaslType.SASLAUTHD, "/run/mux", UnixPlace("/run/mux")),
        (SaslType.SASLAUTHD, "var/run/saslauthd/mux", UnixPlace("/queue/var/run/saslauthd/mux")),
    ],
)
def test_a_socket_is_relative_to_the_queue_directory(kind: SaslType, path: str, expected: UnixPlace) -> None:
    """As in Postfix; saslauthd has a place of its own where none is set."""
    assert daemon(LoginSettings(kind, path, "/queue")) == Daemon(expected, BOTH)


def test_a_program_is_no_daemon() -> None:
    """The guard runs it."""
    assert daemon(LoginSettings(SaslType.CHECKPASSWORD, "/bin/checkpassword /bin/true")) is None


def test_cyrus_is_what_its_file_says(tmp_path: Path) -> None:
    """Its path, its mechanisms, and what does nothing."""
    conf = tmp_path / "submission.conf"
    conf.write_text(GUIDE.replace(" login", "") + "saslauthd_path: run/mux\nauxprop_plugin: sql\n")

    found = daemon(LoginSettings(SaslType.CYRUS, "submission", "/queue", str(tmp_path)))

    assert found == Daemon(
        UnixPlace("/queue/run/mux"), (b"PLAIN",), (f"{conf} line 5: auxprop_plugin does nothing here",)
    )


def test_the_guides_file_leads_to_a_login(tmp_path: Path) -> None:
    """The Postfix guide's, with the socket of this test, and a realm."""
    with Saslauthd({"joe@example.org": "s3cret"}, "-r") as saslauthd:
        (tmp_path / "smtpd.conf").write_text(f"{GUIDE}saslauthd_path: {saslauthd.path}\n")
        settings = LoginSettings(cyrus_sasl_config_path=str(tmp_path), smtpd_sasl_local_domain="example.org")

        assert logged_in(settings) == Answer(Verdict.YES, b"joe@example.org")


def test_dovecots_socket_leads_to_a_login() -> None:
    """And its port."""
    with Dovecot({"joe": "s3cret"}) as dovecot:
        by_path = LoginSettings(SaslType.DOVECOT, "auth", str(dovecot.room))
        by_port = LoginSettings(SaslType.DOVECOT, f"inet:{dovecot.ip}:{dovecot.auth_port}")

        assert logged_in(by_path) == logged_in(by_port) == Answer(Verdict.YES, b"joe")


def logged_in(settings: LoginSettings) -> Answer:
    """What comes of joe's login."""

    async def work() -> Answer:
        found = daemon(settings)
        assert found
        asked = checker(asyncio.get_running_loop(), settings, found)
        try:
            return await asked.check(
                Credentials(b"LOGIN", b"joe", b"s3cret"), Peer(b"192.0.2.1", b"", b"", secured=True)
            )
        finally:
            asked.close()

    return run(work())
