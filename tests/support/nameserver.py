"""A name server that answers as told, or lies as told: a process of its own, started by running() or serving().

It serves records from a JSON file, which may change while it runs: {"name type": [values] or a lie}. ``*.name`` is any
name below that has no records of its own. What is not in the file does not exist.

A lie is a string, ``LIE [VALUE]...``, and its packet has these values in it all the same. The lies are those of LIES,
and: silent; stranger, from another port; twice; late SECONDS; truncated, in full over TCP; truncated-without-tcp, where
it hangs up; truncated-silent, where it says nothing; truncated-late SECONDS, which says so late and then nothing;
truncated-drip, where 64 KB come byte by byte.
"""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[str, Sequence[str] | str]

_HEADER = 12


class NameServer:
    """A running one. address: ``ip@port``, or the bare ip for port 53."""

    def __init__(self, file: Path, address: str) -> None:
        self.address = address
        self._file = file

    def tell(self, records: Records) -> None:
        """Serve these records from now on."""
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(records))
        temporary.rename(self._file)

    def asked(self, name: str = "") -> list[str]:
        """The questions so far, ``name type``, that are about a name or about one below it."""
        questions = _diary(self._file).read_text().splitlines()
        return [line for line in questions if not name or f".{line.split()[0]}".endswith(f".{name}")]


@contextmanager
def running(records: Records, folder: Path, *, port: int = 0) -> Iterator[str]:
    """Serve ``records``; gives the server's address, as for $DNSCACHEIP. Only root can have port 53."""
    with serving(records, folder, port=port) as server:
        yield server.address


@contextmanager
def serving(records: Records, folder: Path, *, port: int = 0) -> Iterator[NameServer]:
    """Serve ``records``, until something else is told."""
    file = folder / f"records-{random.randrange(10**9)}.json"
    file.write_text(json.dumps(records))
    _diary(file).touch()
    ip = f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.nameserver", str(file), ip, str(port)],
        stdout=subprocess.PIPE,
        cwd=root,
        text=True,
    )
    try:
        assert process.stdout is not None
        chosen = int(process.stdout.readline())
        yield NameServer(file, ip if chosen == 53 else f"{ip}@{chosen}")
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def healthy(*zones: str) -> Records:
    """The test points of RFC 5782: 127.0.0.2 is listed, 127.0.0.1 is not."""
    return {f"2.0.0.127.{zone} A": ["127.0.0.2"] for zone in zones}


def lists(zone: str, ip: str, address: str = "127.0.0.2", text: str | None = None) -> Records:
    """A listing of an IPv4 address."""
    name = f"{'.'.join(reversed(ip.split('.')))}.{zone}"
    return {f"{name} A": [address]} | ({} if text is None else {f"{name} TXT": [text]})


def _put(place: int, data: bytes) -> Callable[[bytes], bytes]:
    return lambda wire: wire[:place] + data + wire[place + len(data) :]


def _mask(place: int, keep: int, flip: int) -> Callable[[bytes], bytes]:
    return lambda wire: wire[:place] + bytes((wire[place] & keep ^ flip,)) + wire[place + 1 :]


def _owner(owner: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    """Another owner of the first record, made of its place."""

    def lie(wire: bytes) -> bytes:
        first = wire.index(b"\0", _HEADER) + 5
        return wire[:first] + owner(first) + wire[first + 2 :]

    return lie


#: From an honest packet to one that nobody should believe, or, at the end, one that is only unusual.
LIES: Mapping[str, Callable[[bytes], bytes]] = {
    "garbage": lambda wire: os.urandom(len(wire)),
    "short": lambda wire: wire[:6],
    "cut": lambda wire: wire[:-1],
    "servfail": _mask(3, 0xF0, dns.rcode.SERVFAIL),
    "refused": _mask(3, 0xF0, dns.rcode.REFUSED),
    "no-response": _mask(2, 0x7F, 0),
    "wrong-id": _mask(0, 0xFF, 0x55),
    "wrong-name": _mask(_HEADER + 1, 0xFF, 1),
    "wrong-type": lambda wire: _mask(wire.index(b"\0", _HEADER) + 2, 0xFF, 0x20)(wire),
    "no-question": _put(4, b"\0\0"),
    "two-questions": _put(4, b"\0\2"),
    "huge-count": _put(6, b"\xff\xff"),
    "pointer-loop": _owner(lambda place: (0xC000 | place).to_bytes(2, "big")),
    "pointer-forward": _owner(lambda _: b"\xff\xff"),
    "label-of-64": _owner(lambda _: b"\x40" + b"x" * 64 + b"\0"),
    "name-without-end": _owner(lambda _: b"\1x" * 200),
    "data-past-end": lambda wire: _put(len(wire) - len(_last(wire)) - 2, b"\xff\xff")(wire),
    "too-long": lambda wire: wire.ljust(513, b"\0"),
    "mixed-case": lambda wire: _put(_HEADER, wire[_HEADER : wire.index(b"\0", _HEADER)].swapcase())(wire),
}


def _quoted(text: str) -> str:
    """A text as zone files have it."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}" for byte in text.encode())
    return f'"{"".join(plain)}"'


def _last(wire: bytes) -> bytes:
    """The data of the only record."""
    return wire[wire.index(b"\0", _HEADER) + 5 + 12 :]


def _diary(file: Path) -> Path:
    return file.with_suffix(".asked")


class _Server:
    """The process: its records, re-read when they change, and its sockets."""

    def __init__(self, file: Path, ip: str, port: int) -> None:
        self._file = file
        self._version: tuple[int, int] | None = None
        self._records: Records = {}
        self._diary = _diary(file).open("a")
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((ip, port))
        self._stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stranger.bind((ip, 0))
        self._tcp = socket.create_server(self._udp.getsockname())
        self.port = self._udp.getsockname()[1]

    def serve(self) -> None:
        """For ever."""
        threading.Thread(target=self._serve_tcp, daemon=True).start()
        while True:
            packet, client = self._udp.recvfrom(4096)
            self._answer_udp(packet, client)

    def _answer_udp(self, packet: bytes, client: tuple[str, int]) -> None:
        lie, values, wire = self._answer(packet)
        if lie.startswith("truncated"):
            wire = _mask(2, 0xFF, 2)(wire)
        if lie.endswith("late"):
            threading.Timer(float(values[0]), self._udp.sendto, (wire, client)).start()
        elif lie == "stranger":
            self._stranger.sendto(wire, client)
        elif lie != "silent":
            for _ in range(1 + (lie == "twice")):
                self._udp.sendto(LIES[lie](wire) if lie in LIES else wire, client)

    def _serve_tcp(self) -> None:
        while True:
            client, _ = self._tcp.accept()
            threading.Thread(target=self._answer_tcp, args=(client,), daemon=True).start()

    def _answer_tcp(self, client: socket.socket) -> None:
        with client, client.makefile("rwb", 0) as stream:
            size = int.from_bytes(stream.read(2) or b"", "big")
            lie, _, wire = self._answer(stream.read(size) or b"")
            match lie:
                case "truncated-without-tcp":
                    return
                case "truncated-silent" | "truncated-late":
                    stream.read(1)
                case "truncated-drip":
                    while client.send(b"\xff", socket.MSG_NOSIGNAL):
                        time.sleep(0.1)
                case _:
                    stream.write(len(wire).to_bytes(2, "big") + wire)

    def _answer(self, packet: bytes) -> tuple[str, list[str], bytes]:
        """The lie to be told or "", its values, and the honest packet."""
        query = dns.message.from_wire(packet)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self._diary.write(f"{name} {kind}\n")
        self._diary.flush()
        name, told = self._look_up(name, kind)
        lie, *values = told.split() if isinstance(told, str) else ("", *(told or ()))
        response = dns.message.make_response(query, recursion_available=True)
        if told is None and not self._exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        for value in values[lie.endswith("late") :] or (["over TCP"] if lie == "truncated" else []):
            text = _quoted(value) if kind == "TXT" and not value.startswith('"') else value
            # one set for each: dnspython shuffles the records of a set
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, text))
        return lie, values, response.to_wire(max_size=65535)

    def _look_up(self, name: str, kind: str) -> tuple[str, Sequence[str] | str | None]:
        """The name under which something is known of a name, and what."""
        stat = self._file.stat()
        if self._version != (stat.st_ino, stat.st_mtime_ns):
            self._version = stat.st_ino, stat.st_mtime_ns
            self._records = json.loads(self._file.read_text())
        candidate, rest = name, name
        while not self._exists(candidate) and rest:
            rest = rest.partition(".")[2]
            candidate = f"*.{rest}"
        return candidate, self._records.get(f"{candidate} {kind}")

    def _exists(self, name: str) -> bool:
        return any(key.split()[0] == name for key in self._records)


if __name__ == "__main__":
    _server = _Server(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    print(_server.port, flush=True)
    _server.serve()
