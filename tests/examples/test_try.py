"""examples/try as a new user meets it: a fresh copy of the checkout, one command, then what it says to type."""

import os
import re
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, fresh_checkout
from tests.support.ports import free_port
from tests.support.programs import theirs
from tests.support.waiting import PATIENCE, until

#: Seconds for an installation from the package index.
INSTALLATION = 300.0


class Trial:
    """A running examples/try; ended with the with block."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.port = free_port()
        self._output = checkout.parent / f"output-{self.port}"

    def __enter__(self) -> "Trial":
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                ["sh", "examples/try", str(self.port)],
                cwd=self.checkout,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._serving, "the server", patience=INSTALLATION)
        return self

    def __exit__(self, *_what: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def _serving(self) -> bool:
        assert self.process.poll() is None, self.output()
        return "tcpserver: status: 0/40" in self.output()

    def output(self) -> str:
        """Everything written so far."""
        return self._output.read_text()

    def type(self, beginning: str) -> tuple[int, str]:
        """Type the printed command that has this in it; its exit code and what it shows."""
        command = next(line for line in self.output().splitlines() if line.startswith("  ") and beginning in line)
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.checkout, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """One run for all tests here, since it installs from the package index."""
    with Trial(fresh_checkout(tmp_path_factory.mktemp("try") / "checkout")) as made:
        yield made


@pytest.mark.parametrize(
    ("beginning", "code", "heard"),
    [
        ("say.py 127.0.0.1 friend@elsewhere.example", 0, "S: 250 ok "),
        ("say.py 127.0.0.2 friend@elsewhere.example", 1, "S: 553 sorry, that domain isn't in my list of allowed rcpt"),
        ("say.py 127.0.0.2 you@demo.example", 0, "S: 250 ok "),
        ("say.py 127.0.0.3 you@demo.example", 1, "S: 451 Listed, as an example\n"),
    ],
)
def test_printed_commands(beginning: str, code: int, heard: str, trial: Trial) -> None:
    """A relay allowed, a relay refused, mail for us taken, a listed client turned away."""
    stored = trial.checkout / "demo/Maildir/new"
    before = len(list(stored.glob("*")))

    ended, shown = trial.type(beginning)

    assert ended == code, shown
    assert heard in shown
    assert len(list(stored.glob("*"))) - before == (code == 0)


def test_printed_denial(trial: Trial) -> None:
    """Nobody speaks to a denied client."""
    assert trial.type("say.py 127.0.0.4 you@demo.example") == (1, "")
    until(lambda: "tcpserver: deny" in trial.output(), "the deny line")


def test_printed_swaks(trial: Trial) -> None:
    """swaks is turned away, too."""
    theirs("swaks")
    assert "<** 451 Listed, as an example" in trial.type("swaks")[1]


def test_printed_compilation(trial: Trial) -> None:
    """The next client meets what the changed rules say."""
    rules = trial.checkout / "demo/tcp.smtp"
    rules.write_text('127.0.0.9:allow,RBLSMTPD="-Changed"\n' + rules.read_text())
    assert trial.type("pytcprules") == (0, "")

    client = f"python3 examples/say.py 127.0.0.9 you@demo.example {trial.port}".split()
    done = subprocess.run(client, cwd=trial.checkout, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert "S: 553 Changed\n" in done.stdout


def test_taken_port(trial: Trial) -> None:
    """A port that is taken is told in one line, before anything is made."""
    done = subprocess.run(
        ["sh", "examples/try", str(trial.port)], cwd=trial.checkout, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"try: unable to listen on port {trial.port} .*\n", done.stderr)


def test_wrong_python(trial: Trial) -> None:
    """An interpreter that is too old is told in one line."""
    done = subprocess.run(
        ["sh", "examples/try"],
        cwd=trial.checkout,
        env={**os.environ, "PYTHON": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"try: Python 3\.11 or later is needed.*\n", done.stderr)


def test_interrupt(trial: Trial) -> None:
    """Ctrl-C reaches every process of the terminal and ends all quietly; a second run is possible beside the first."""
    with Trial(trial.checkout) as second, smtplib.SMTP("127.0.0.1", second.port, timeout=PATIENCE):
        os.killpg(second.process.pid, signal.SIGINT)
        assert second.process.wait(PATIENCE) == 0
        # Whether the worker still hears of the backend's end, and before the stop, is a matter of who was quicker.
        lines = r"(tcpserver: (end|status:|stop) [^\n]*\n)*"
        assert re.search(rf"tcpserver: ok [^\n]*\n{lines}\Z", second.output())
        assert "tcpserver: stop " in second.output()
    assert trial.type("say.py 127.0.0.2 you@demo.example")[0] == 0


def test_wrong_words_for_say() -> None:
    """The little client: wrong arguments end with 100, no server with 111."""
    for words, code in (
        (["one"], 100),
        (["127.0.0.1", "you", "port"], 100),
        (["127.0.0.1", "you", str(free_port())], 111),
    ):
        done = subprocess.run(
            ["python3", ROOT / "examples/say.py", *words], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == code
        assert done.stderr.count("\n") == 1
