"""A real rbldnsd on port 53 of a random loopback address, which only root can have."""

import random
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from .programs import need_root, theirs
from .waiting import until


@contextmanager
def rbldnsd(zones: Mapping[str, str]) -> Iterator[str]:
    """Serve zones, each the text of an ip4set; gives the server's address, as for $DNSCACHEIP."""
    need_root()
    ip = f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
    sources = [f"{zone}:ip4set:{zone}" for zone in zones]
    with tempfile.TemporaryDirectory(prefix="rbldnsd-") as folder:
        Path(folder).chmod(0o755)  # it insists on not being root
        for zone, text in zones.items():
            (Path(folder) / zone).write_text(text)
        with subprocess.Popen(
            [theirs("rbldnsd"), "-n", "-u", "nobody", "-w", folder, "-b", f"{ip}/53", *sources],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        ) as process:
            try:
                until(lambda: process.poll() is not None or _answers(ip, next(iter(zones))), "rbldnsd")
                assert process.poll() is None, "rbldnsd has ended"
                yield ip
            finally:
                process.terminate()


def _answers(ip: str, zone: str) -> bool:
    query = dns.message.make_query(f"2.0.0.127.{zone}", "A")
    try:
        dns.query.udp(query, ip, timeout=1)
    except (dns.exception.DNSException, OSError):
        return False
    return True
