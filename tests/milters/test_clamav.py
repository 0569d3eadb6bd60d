"""Debian's clamav-milter and clamd at the gate: a virus is refused in the dialogue, and kept nowhere."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.milters.conftest import Start
from tests.support.milters.clamav import EICAR, VIRUS, clamav_milter, clamd
from tests.support.milters.site import REFUSED, SENDER, USER, Site, lines
from tests.support.waiting import until

HEAD = b"From: s@example.net\r\nTo: r@example.org\r\nSubject: x\r\n"
CLEAN = HEAD + b"\r\nnothing\r\n.but a dot\r\n"
INFECTED = (
    HEAD
    + b'MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name="x.com"\r\n'
    + b'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="x.com"\r\n\r\n'
    + base64.encodebytes(EICAR).replace(b"\n", b"\r\n")
)
REFUSAL = f"550 5.7.1 virus: {VIRUS}.UNOFFICIAL"
REJECT = ("OnInfected Reject", "RejectMsg virus: %v", f"SkipAuthenticated ^{USER}$")


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Clamd."""
    with clamd(tmp_path_factory.mktemp("clamd")) as running:
        yield running


@pytest.fixture(scope="module")
def service(scanner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Clamav-milter, which refuses a virus."""
    with clamav_milter(tmp_path_factory.mktemp("clamav"), scanner, *REJECT) as running:
        yield running


@pytest.fixture(scope="module")
def at(service: str, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gate with it."""
    with start(tmp_path_factory.mktemp("site"), [service]) as running:
        yield running


def test_a_virus_is_refused(at: Site) -> None:
    """By its name."""
    assert at.refuses(INFECTED) == REFUSAL


def test_swaks_hears_of_a_virus(at: Site, tmp_path: Path) -> None:
    """In what it attaches."""
    file = tmp_path / "x.com"
    file.write_bytes(EICAR)

    code, said, kept = at.swaks("--attach-type", "application/octet-stream", "--attach", f"@{file}")

    assert (code, kept) == (REFUSED, [])
    assert f"<** {REFUSAL}" in said


def test_a_clean_message_passes(at: Site) -> None:
    """Two headers are added, and all else is as it was, to the byte."""
    text = at.takes(CLEAN)

    added = text.removeprefix(lines(HEAD)).removesuffix(lines(CLEAN[len(HEAD) :])).splitlines()
    assert len(added) == 2
    assert added[0].startswith(b"X-Virus-Scanned: clamav-milter ")
    assert added[1] == b"X-Virus-Status: Clean"


def test_a_large_message_is_scanned(at: Site) -> None:
    """Behind a megabyte, too."""
    filler = b"a line of a large message that nobody reads\r\n" * 25_000
    boundary = b"--b\r\n"
    head = HEAD + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    clean = head + boundary + b"\r\n" + filler
    virus = INFECTED.removeprefix(HEAD).removeprefix(b"MIME-Version: 1.0\r\n")

    assert at.takes(clean + b"--b--\r\n").endswith(lines(filler + b"--b--\r\n"))
    assert at.refuses(clean + boundary + virus + b"--b--\r\n") == REFUSAL


def test_who_comes_behind_a_message_that_has_no_end_is_scanned(at: Site) -> None:
    """Also behind one of a user, who is not scanned."""
    at.leaves(logged_in=True)
    assert at.refuses(INFECTED) == REFUSAL
    at.leaves()
    assert at.takes(CLEAN)


def test_whom_it_is_told_to_trust_by_a_login(at: Site) -> None:
    """The milter knows who is logged in."""
    assert at.takes(INFECTED, logged_in=True) == lines(INFECTED)


def test_quarantine_is_a_refusal(scanner: Path, start_before_mailfront: Start, tmp_path: Path) -> None:
    """Which Debian's clamav-milter asks for where nobody has told it anything else."""
    with (
        clamav_milter(tmp_path, scanner, "OnInfected Quarantine") as service,
        start_before_mailfront(tmp_path / "site", [service]) as at,
    ):
        refusal = at.refuses(INFECTED)
        assert refusal == "550 5.7.1 A filter wants the message to be held, and it cannot be held here"
        assert at.takes(CLEAN)


def test_without_clamd_clients_come_again(start_before_mailfront: Start, tmp_path: Path) -> None:
    """Nothing passes unscanned."""
    with ExitStack() as running:
        with clamd(tmp_path) as scanner:
            service = running.enter_context(clamav_milter(tmp_path, scanner, *REJECT))
            at = running.enter_context(start_before_mailfront(tmp_path / "site", [service]))
            assert at.takes(CLEAN)
        assert at.refuses(CLEAN) == "451 4.7.1 Service unavailable - try again later"


def test_a_milter_that_was_away_is_asked_again(scanner: Path, start_before_mailfront: Start, tmp_path: Path) -> None:
    """Clients come again meanwhile; the gate stays."""

    def is_heard(at: Site) -> bool:
        with at.client() as client:
            return client.mail(SENDER)[0] == 250

    with ExitStack() as running:
        with clamav_milter(tmp_path, scanner, *REJECT) as service:
            at = running.enter_context(start_before_mailfront(tmp_path / "site", [service]))
            assert at.takes(CLEAN)
        assert not is_heard(at)
        with clamav_milter(tmp_path, scanner, *REJECT):
            until(lambda: is_heard(at), "the milter to be asked again")
            assert at.refuses(INFECTED) == REFUSAL
