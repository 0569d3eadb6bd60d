"""Two DNS zones and the domains of mail, served by rbldnsd as the resolver that $DNSCACHEIP names."""

import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workshop import ELSEWHERE, OWN_DOMAIN, Spoiled, Workshop, theirs

NAMES = ("one.bench.example", "two.bench.example")

#: As many as a careful operator has.
MANY = tuple(f"z{number}.bench.example" for number in range(20))

#: Where half_silent() answers.
HALF_SILENT = "127.219.7.1"
_DEAD = "127.219.7.2"

#: One client in each of these nets is as good as another; a net of its own for every load makes all clients new.
_FIRST_LISTED, _FIRST_CLEAN = 64, 128
_NETS = 64
#: Listed nets of 8,192 clients in 127.64.0.0/15. A zone that lists much more of 127.0.0.0/8 would soon list a random
#: address of it, as no zone may, and not be believed.
_LISTED_NETS, _LISTED_BITS = 16, 19


def obstacle() -> str | None:
    """Why there can be no zones here; None where there can."""
    if theirs("rbldnsd") is None:
        return "rbldnsd is not installed"
    if os.geteuid() != 0:
        return "only root can have port 53, where C asks"
    return None


def listed_net(number: int) -> str:
    """A net whose every client is listed by the first zone."""
    high, low = divmod(number % _LISTED_NETS << 5, 256)
    return f"127.{_FIRST_LISTED + high}.{low}.0/{_LISTED_BITS}"


def clean_net(number: int, bits: int = 16) -> str:
    """A net whose clients no zone lists."""
    return f"127.{_FIRST_CLEAN + number % _NETS}.0.0/{bits}"


@contextmanager
def served(workshop: Workshop, names: Sequence[str] = NAMES) -> Iterator[dict[str, str]]:
    """Serve the zones; gives the environment in which they are asked. Raises Spoiled where rbldnsd does not start.

    names: the first one lists those of listed_net(), the others nobody.
    """
    listed, other, domains = (workshop.folder / name for name in ("listed", "other", "domains"))
    domains.write_text(f"@ 3600 A 127.0.0.1\n@ 3600 MX 10 mx.{OWN_DOMAIN}\nmx 3600 A 127.0.0.1\n")
    listed.write_text(f"127.{_FIRST_LISTED}.0.0/15 :127.0.0.2:Listed, see http://bench.example/$\n")
    other.write_text("10.0.0.0/8 :127.0.0.2:Listed by the other, see http://bench.example/$\n")
    ip = "127." + ".".join(str(secrets.choice(numbers)) for numbers in (range(220, 250), range(250), range(1, 250)))
    sets = [f"{name}:ip4set:{listed if name == names[0] else other}" for name in names]
    sets += [f"{domain}:generic:{domains}" for domain in (OWN_DOMAIN, ELSEWHERE)]
    command = [theirs("rbldnsd") or "rbldnsd", "-n", "-b", f"{ip}/53", *sets]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as rbldnsd:
        try:
            if not any(" started " in line for line in rbldnsd.stdout or ()):
                raise Spoiled("rbldnsd has not started")
            yield {"DNSCACHEIP": ip}
        finally:
            rbldnsd.terminate()


@contextmanager
def dead_server() -> Iterator[str]:
    """A name server that never answers, by its IPv4 address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((_DEAD, 53))
        yield _DEAD


@contextmanager
def half_silent() -> Iterator[None]:
    """A name server that knows nobody in the first zone, and says nothing about the second."""
    first = b"".join(b"%c%s" % (len(label), label.encode()) for label in NAMES[0].split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HALF_SILENT, 53))
        thread = threading.Thread(target=_know_nobody, args=(server, first), daemon=True)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"", (HALF_SILENT, 53))
            thread.join()


def _know_nobody(server: socket.socket, zone: bytes) -> None:
    """RFC 1035, 4.1.1: the question comes back as a response of code 3, no such name."""
    while True:
        question, client = server.recvfrom(512)
        if not question:
            return
        if zone in question:
            server.sendto(question[:2] + b"\x81\x83" + question[4:], client)
