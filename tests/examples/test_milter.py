"""examples/milter: as it stands but for its places, with milters of the test's in the place of real ones."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from smtplib import SMTPDataError
from typing import NamedTuple

import pytest

from tests.support import nameserver
from tests.support.checkout import ROOT
from tests.support.field import FieldHost, field_host, serving
from tests.support.milter import CONTINUE, ScriptedMilter, scripted_milter
from tests.support.programs import need_root, ours
from tests.support.waiting import until
from ucspi_py.core.milter.packet import packed

EXAMPLE = ROOT / "examples/milter"
MONITORING, LISTS, STRANGER = "127.0.0.5", "127.0.0.25", "127.0.0.7"
ADDED = packed(b"h", b"X-Virus-Scanned\0clamav-milter 1.4 at mx\0") + CONTINUE
SPAM = packed(b"h", b"X-Spam\0Yes\0") + CONTINUE
VIRUS = packed(b"y", b"550 5.7.1 Virus found: Eicar\0")


class Milted(NamedTuple):
    """A host with the example at work on it. milters: in the order of main.cf. main: its file."""

    host: FieldHost
    milters: tuple[ScriptedMilter, ...]
    main: Path

    def send(self, source: str) -> dict[str, tuple[int, bytes]]:
        """Send a message to one of ours."""
        with self.host.client(source) as client:
            return client.sendmail("me@elsewhere.example", ["you@ours.example"], "Subject: x\r\n\r\nhello\r\n")

    def heard(self) -> list[bool]:
        """Whether each has heard a message since it was asked last."""
        for milter in self.milters:
            until(lambda: not milter.heard or milter.commands.endswith((b"Q", b"K")))  # noqa: B023
        found = [b"E" in milter.commands for milter in self.milters]
        for milter in self.milters:
            milter.heard.clear()
        return found


@pytest.fixture(scope="module")
def milted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Milted]:
    """The service, whose clients are local here: those that its table names are others."""
    need_root()
    with ExitStack() as stack:
        dns = stack.enter_context(nameserver.running({}, tmp_path_factory.mktemp("dns")))
        host = stack.enter_context(field_host({"DNSCACHEIP": dns}))
        socket = host.folder / "clamav-milter.ctl"
        scanner = stack.enter_context(scripted_milter(socket))
        socket.chmod(0o777)
        milters = (scanner, *(stack.enter_context(scripted_milter()) for _ in range(2)))
        folder = host.install(EXAMPLE, "service/smtpd")
        (host.folder / "qmail/control/me").write_text("mx.example.org\n")
        for name, places in {
            "run": {"pysmtpgate ": f"pysmtpgate -o qmail_control={host.folder}/qmail/control "},
            "milters": {"192.168.10.25": LISTS, "192.168.10.5": MONITORING, "inet:127.0.0.1:8891": milters[2].service},
            "main.cf": {
                "mydestination = example.org": "mydestination = ours.example",
                "unix:/run/clamav/clamav-milter.ctl": scanner.service,
                "inet:127.0.0.1:11332": milters[1].service,
                "inet:127.0.0.1:8891": milters[2].service,
            },
        }.items():
            text = (folder / name).read_text()
            for old, new in places.items():
                assert old in text
                text = text.replace(old, new)
            (folder / name).write_text(text)
        with serving(host, folder / "run"):
            yield Milted(host, milters, folder / "main.cf")


def test_a_check_has_nothing_against_it(milted: Milted) -> None:
    """It tells what each milter hears, and may change."""
    words = ["--check", "-f", str(milted.main), "-o", f"qmail_control={milted.host.folder}/qmail/control"]
    done = subprocess.run(
        [ours("pysmtpgate"), *words, "-u", "nobody"],
        env=milted.host.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": fine: milter ") == len(milted.milters)
    assert len(done.stdout.splitlines()) == len(milted.milters)


def test_each_hears_what_the_one_before_has_left(milted: Milted) -> None:
    """With what the checks make of headers that they put in."""
    scanner, filter_, signer = milted.milters
    scanner.says[b"E"], filter_.says[b"E"] = ADDED, SPAM
    milted.send(STRANGER)
    headers = [heard.data for heard in signer.heard if heard.command == b"L"]

    assert headers == [b"Subject\0x\0", b"X-Spam-Flag\0YES\0"]
    assert milted.heard() == [True, True, True]


@pytest.mark.parametrize(("source", "heard"), [(MONITORING, [False] * 3), (LISTS, [False, False, True])])
def test_clients_with_milters_of_their_own(milted: Milted, source: str, heard: list[bool]) -> None:
    """Or with none."""
    milted.heard()
    milted.send(source)

    assert milted.heard() == heard


def test_a_virus(milted: Milted) -> None:
    """It is refused in the dialogue, and the next milter does not hear of it."""
    milted.heard()
    scanner = milted.milters[0]
    scanner.says[b"E"] = VIRUS
    with pytest.raises(SMTPDataError, match="Virus found: Eicar"):
        milted.send(STRANGER)
    scanner.says[b"E"] = CONTINUE

    assert milted.heard() == [True, False, False]
