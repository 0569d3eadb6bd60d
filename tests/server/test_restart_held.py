"""Some hundred open connections held through a restart by drain; ``bench/held.py`` does it with 20,000."""

import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.gate import MAIL, RCPT, controls, gate_words
from tests.support.passing import Holder
from tests.support.programs import ours, theirs
from tests.support.server import QUIET, children
from tests.support.smtp_client import Client, Content
from tests.support.waiting import PATIENCE, until

#: Clients that a screen refuses; and those of a gate that each have a program: it starts as many at a time.
HELD, IN_MESSAGES = 300, 20
#: Takes every message.
BACKEND = r"""
printf '220 backend\r\n'
while read -r line; do
    case $line in
        DATA*) printf '354 go\r\n'; while read -r line && [ "$line" != "$(printf '.\r')" ]; do :; done
            printf '250 taken\r\n' ;;
        QUIT*) printf '221 bye\r\n'; exit ;;
        *) printf '250 ok\r\n' ;;
    esac
done
"""
SERVES = (ours("pytcpserver"), *QUIET, "-w2", "-c40", "--held", "400", "-", "-")


class Restarted:
    """A service that is restarted with the same socket: by USR2, or by another process as of a .socket unit."""

    def __init__(self, holder: Holder, words: Sequence[str], env: dict[str, str]) -> None:
        self._holder = holder
        self._words = words
        self._env = env
        self._process = holder.start(words, env)

    def client(self, source: str = "127.0.0.1") -> Client:
        """One that has heard the banner."""
        client = Client(socket.create_connection(("127.0.0.1", self._holder.port), PATIENCE, (source, 0)))
        assert client.reply().startswith(b"220 ")
        return client

    def by_usr2(self) -> None:
        """Until all workers are others, but for those that have clients."""
        before = set(children(self._process.pid))
        self._process.send_signal(signal.SIGUSR2)
        self._holder.wait_log(b"tcpserver: restart: the new program takes over\n")
        until(lambda: len(set(children(self._process.pid)) - before) >= 2, "other workers")

    def by_socket(self) -> None:
        """The old master ends; its workers go on for as long as they have clients."""
        assert self._holder.stop(self._process) == 0
        self._process = self._holder.start(self._words, self._env)


KINDS = {"USR2": Restarted.by_usr2, "socket": Restarted.by_socket}
each_kind = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def restarted(folder: Path, words: Sequence[str], **env: str) -> Iterator[Restarted]:
    """A service with two workers. words: of its program."""
    with Holder(folder) as holder:
        yield Restarted(holder, [*SERVES, *words], env)


@each_kind
def test_clients_that_a_screen_refuses_stay(kind: str, tmp_path: Path) -> None:
    """Each one is told so at its recipient, whenever that comes; those that come meanwhile meet the new program."""
    words = (ours("pyrblsmtpd"), "-t600", "false")
    with restarted(tmp_path, words, RBLSMTPD="-no") as service, ExitStack() as stack:
        held = [stack.enter_context(service.client(f"127.0.3.{1 + number % 200}")) for number in range(HELD)]
        for client in held:
            assert client.ask(MAIL).startswith(b"250")
        KINDS[kind](service)
        with service.client() as another:
            assert another.ask(b"QUIT").startswith(b"221")
        told = [client.ask(RCPT) for client in held]
        assert told == [b"553 no"] * HELD
        assert all(client.ask(b"QUIT").startswith(b"221") for client in held)


@each_kind
def test_messages_of_a_gate_come_through(kind: str, tmp_path: Path) -> None:
    """Whoever has a recipient accepted has a program, and both are the old worker's until the message is through."""
    gate = gate_words(controls(tmp_path / "control"))
    backend = theirs("sh"), "-c", BACKEND
    with restarted(tmp_path, (*gate, *backend)) as service, ExitStack() as stack:
        held = [stack.enter_context(service.client()) for _ in range(IN_MESSAGES)]
        for client in held:
            assert client.converse([b"EHLO a", MAIL, RCPT])[-1].startswith(b"250")
        KINDS[kind](service)
        with service.client() as another:
            assert another.ask(b"QUIT").startswith(b"221")
        for client in held:
            said = client.converse([b"DATA", Content(b"Subject: held\r\n\r\nbody\r\n.\r\n"), b"QUIT"])
            assert [reply[:3] for reply in said] == [b"354", b"250", b"221"]
