"""A network namespace of its own with fe80::1 on lo: a name server there, and a pytcpserver that listens there."""

import errno
import fcntl
import os
import socket
import struct
import sys
import tempfile
import threading
from pathlib import Path

from .programs import ours
from .server import QUIET, Server
from .waiting import until

IP = "fe80::1"
#: linux/sockios.h, linux/if.h.
_SIOCSIFADDR, _SIOCSIFFLAGS, _IFF_UP = 0x8916, 0x8914, 1


def main() -> None:
    """Serve one client and one name of it; says what the program saw."""
    lo = _lo_with_link_local_address()
    dns = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    until(lambda: _is_bound(dns, lo), "the address to be usable")
    threading.Thread(target=_name_everybody, args=(dns,), daemon=True).start()
    env = {"PATH": os.environ["PATH"], "DNSCACHEIP": f"{IP}%lo@{dns.getsockname()[1]}"}
    backend = ("sh", "-c", "echo $TCPLOCALIP $TCPREMOTEIP $TCPREMOTEHOST")
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(ours("pytcpserver"), ("-R", *QUIET[2:]), backend, Path(folder), host=f"{IP}%lo", env=env) as server,
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as client,
    ):
        client.connect((IP, server.port, 0, lo))
        sys.stdout.write(client.makefile().read())


def _lo_with_link_local_address() -> int:
    """The number of lo, which is up."""
    lo = socket.if_nametoindex("lo")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ipv4:
        fcntl.ioctl(ipv4, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", _IFF_UP))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ipv6:
        fcntl.ioctl(ipv6, _SIOCSIFADDR, struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, IP), 64, lo))
    return lo


def _is_bound(dns: socket.socket, lo: int) -> bool:
    """Whether the socket has the address, which the kernel still looks at for a moment (RFC 4862, 5.4)."""
    try:
        dns.bind((IP, 0, 0, lo))
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        return False
    return True


def _name_everybody(dns: socket.socket) -> None:
    """The one PTR record that there is."""
    while True:
        question, client = dns.recvfrom(512)
        record = b"\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\x09\x04link\x02lo\0"
        dns.sendto(question[:2] + b"\x81\x80\0\1\0\1" + question[8:] + record, client)


if __name__ == "__main__":
    main()
