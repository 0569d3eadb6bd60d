"""A host: a root with systemd as process 1, in a container with a network of its own."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.debian.root import ENVIRONMENT, Root, command
from tests.support.waiting import until

_CLONE_NEWNET = 0x40000000
_BOOT_SECONDS, _STOP_SECONDS = 120.0, 60.0


class Host:
    """A host that runs. init: its process 1, as others see it."""

    def __init__(self, root: Root, init: int) -> None:
        self.root = root
        self._init = init

    def run(self, *words: str) -> str:
        """Run a command on it."""
        return command(["nsenter", f"--target={self._init}", "--all", *words])

    def connect(self, port: int) -> socket.socket:
        """Connect to one of its ports, from itself."""
        with ThreadPoolExecutor(1) as pool:  # only the thread moves
            return pool.submit(self._connect, port).result()

    def install(self, package: Path) -> None:
        """Have apt install a package, as the manual says."""
        held = self.root.path / "srv" / package.name
        held.write_bytes(package.read_bytes())
        self.run("apt-get", "install", "--yes", f"/srv/{package.name}")

    def log(self, identifier: str) -> list[str]:
        """What the journal has of a service, without time and host."""
        return self.run("journalctl", "--output=cat", f"--identifier={identifier}").splitlines()

    def main_pid(self, service: str) -> int:
        """The main process of a service, by its number on the host; 0: none."""
        return int(self.run("systemctl", "show", "--property=MainPID", "--value", service))

    def _connect(self, port: int) -> socket.socket:
        with open(f"/proc/{self._init}/ns/net", "rb") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return socket.create_connection(("127.0.0.1", port), timeout=30)


@contextmanager
def booted(root: Root) -> Iterator[Host]:
    """Boot a root; it is halted at the end."""
    words = ["--quiet", "--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--boot"]
    name = f"--machine=ucspi-{os.getpid()}-{root.path.name}"
    with open(root.path.with_suffix(".console"), "wb") as console:
        process = subprocess.Popen(
            ["systemd-nspawn", *words, name, f"--directory={root.path}"],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        yield until(lambda: _up(root, children), "the end of the boot", _BOOT_SECONDS)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _up(root: Root, children: Path) -> Host | None:
    for child in children.read_text().split():  # systemd-nspawn has others before it has process 1
        host = Host(root, int(child))
        with suppress(AssertionError):
            if host.run("systemctl", "is-system-running").strip() == "running":
                return host
    return None
