"""A name server on a host: zones list 127.0.0.2, as they should, and there is no other name."""

from tests.debian.host import Host

#: Runs there, by Debian's Python. A name ends with a 0; what follows it is the type and class that were asked for.
_SERVER = """
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    question, client = server.recvfrom(4096)
    end = question.index(0, 12) + 5
    listed = question[12:22] == bytes((1, 50, 1, 48, 1, 48, 3, 49, 50, 55)) and question[end - 3] == 1
    head = question[:2] + struct.pack(">HHHHH", 0x8180 if listed else 0x8183, 1, listed, 0, 0)
    answer = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + bytes((127, 0, 0, 2)) if listed else b""
    server.sendto(head + question[12:end] + answer, client)
"""


def serve_names(host: Host) -> None:
    """Start it."""
    (host.root.path / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    (host.root.path / "srv/name_server.py").write_text(_SERVER)
    host.run("systemd-run", "--unit=name-server", "python3", "/srv/name_server.py")
