"""``--log json`` under a real server: each line is JSON, however hostile its client is, and tells its connection."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import nameserver, parrot
from tests.support.backends.known import Scripted
from tests.support.gate import MAIL, PATIENT, RCPT, Gate, gated
from tests.support.metrics import wait_for
from tests.support.programs import need_root, ours
from tests.support.rules import cdb_of
from tests.support.server import QUIET, Server, children
from tests.support.smtp_client import Content, Step
from tests.support.waiting import until

Event = dict[str, object]
EHLO = b"EHLO client.example.net"
HOSTILE = b'EHLO "x\x1b[31m\xff\\{}=,:\x7f\xe2\x80\xa8' + b"\xf0" * 300


def events(server: Server) -> list[Event]:
    """What the log tells; no other line is in it."""
    lines = server.log_file.read_bytes().splitlines(keepends=True)
    assert all(len(line) <= 4096 and line.endswith(b"\n") for line in lines)
    return [json.loads(line) for line in lines]


def named(server: Server, name: str) -> list[Event]:
    """Those of a kind."""
    return [event for event in events(server) if event["event"] == name]


@pytest.fixture
def gate(backend: Scripted, tmp_path: Path) -> Iterator[Gate]:
    """A gate of two workers."""
    backend.does()
    options = ("-w", "2", "-v", "--log", "json")
    with gated(backend.argv, tmp_path, parameters=PATIENT, options=options) as gate:
        yield gate


def test_a_connection_has_one_id_in_all_its_events_and_for_its_backend(gate: Gate, backend: Scripted) -> None:
    """Of the server, the gate and the end of the backend; and another connection has another one."""
    runs = len(backend.visits())
    steps: list[Step] = [
        HOSTILE,
        MAIL,
        b"RCPT TO:<u@elsewhere.example>",
        RCPT,
        b"DATA",
        Content(b"x\r\n.\r\n"),
        b"QUIT",
    ]
    for _ in range(2):
        gate.converse(steps)
    until(lambda: len(named(gate, "end")) == 2)

    told = events(gate)
    ids = dict.fromkeys(event["cid"] for event in told if "cid" in event)
    of_each = [sorted(str(event["event"]) for event in told if event.get("cid") == cid) for cid in ids]
    assert of_each == [["connection", "disconnect", "end", "message", "reject"]] * 2
    assert [visit.environment[b"UNIQUE_ID"].decode() for visit in backend.since(runs)] == list(ids)
    assert {event["ip"] for event in told if event["event"] in ("reject", "message")} == {"192.0.2.7"}
    assert all(str(event["helo"]).startswith("?x?[31m") for event in told if event["event"] == "reject")


def test_every_line_is_json_whatever_the_names_are(tmp_path: Path) -> None:
    """PTR, ident and what is wrong with a client, from whoever has made them up."""
    need_root()
    records = {"3.0.0.127.in-addr.arpa PTR": [r"a\.b\010\%n_-.x\:\"y\255.Example."]}
    rules = cdb_of("127.0.0.4:deny\n:allow\n", tmp_path)
    answer = b'1,2:USERID:UNIX:j o\te: \x1b"\\x\xff\r\n'
    with (
        nameserver.running(records, tmp_path) as dns,
        parrot.running(answer, "127.0.0.3", 113),
        Server(
            ours("pytcpserver"),
            ("-v", "--log", "json", "-l", "0", "-t", "5", "-x", rules),
            ("echo", "hello"),
            tmp_path,
            env={"PATH": os.environ["PATH"], "DNSCACHEIP": dns},
        ) as server,
    ):
        for source in ("127.0.0.3", "127.0.0.4"):
            server.talk(source=source)
        until(lambda: len(named(server, "connection")) == 2 and bool(named(server, "end")))

        allowed, denied = named(server, "connection")
        assert (allowed["decision"], denied["decision"]) == ("ok", "deny")
        assert (allowed["ip"], denied["ip"]) == ("127.0.0.3", "127.0.0.4")
        assert str(allowed["host"]).endswith("\\042y\\377.example")
        assert str(allowed["info"]).endswith('"\\x\\xff')


def test_a_program_behind_the_server_knows_the_id(tmp_path: Path) -> None:
    """In this form alone: djb's has none."""
    for form, names in (("json", 1), ("djb", 0)):
        options = (*QUIET, "-v", "--log", form)
        with Server(ours("pytcpserver"), options, ("env",), tmp_path, env={"PATH": os.environ["PATH"]}) as server:
            assert server.talk().count(b"UNIQUE_ID=") == names


def test_ps_tells_a_master_from_its_workers(tmp_path: Path) -> None:
    """By their names; a program has its own, and so has a worker that follows another one."""
    with Server(ours("pytcpserver"), (*QUIET, "-v", "-w", "2"), ("cat",), tmp_path) as server:
        until(lambda: _names(server) == ["tcpserver/w1", "tcpserver/w2"], "two workers")
        assert _name(server.process.pid) == "tcpserver"
        workers = children(server.process.pid)
        with server.connect() as client:
            until(lambda: [_name(child) for worker in workers for child in children(worker)] == ["cat"], "a program")
            client.close()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: set(children(server.process.pid)).isdisjoint(workers), "others")
        assert _names(server) == ["tcpserver/w1", "tcpserver/w2"]


def test_a_log_whose_reader_stops_says_how_many_lines_it_lacks(tmp_path: Path) -> None:
    """No client waits for the reader; what it has read and what it lacks are all, and the numbers say the same."""
    rules = cdb_of(":deny\n", tmp_path)
    fifo, wanted = tmp_path / "fifo", 1500
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    words = ("/bin/sh", "-c", f'exec "$@" 2>{fifo}', "sh")
    numbers = tmp_path / "numbers"
    options = (*QUIET, "-v", "--log", "json", "-w", "1", "-x", rules, "--metrics", f"unix:{numbers}")
    with Server(ours("pytcpserver"), options, ("true",), tmp_path, before=words) as server:
        for _ in range(wanted):
            server.talk()
        data = _read(reader)
        server.talk()
        deadline = time.monotonic() + 60
        while b'"event":"lost"' not in data or data.count(b"decision") + _lost(data) < wanted + 1:
            assert time.monotonic() < deadline, data[-2000:]
            data += _read(reader)
        wait_for(numbers, _lost(data), "log_lines_lost_total")

    assert _lost(data) > 0
    assert data.count(b"decision") + _lost(data) == wanted + 1
    assert all(json.loads(line) for line in data.splitlines())
    os.close(reader)


def _lost(data: bytes) -> int:
    told = (json.loads(line) for line in data.splitlines(keepends=True) if line.endswith(b"\n"))
    return sum(int(event.get("lost", 0)) for event in told)


def _read(reader: int) -> bytes:
    told = b""
    try:
        while piece := os.read(reader, 1 << 16):
            told += piece
    except BlockingIOError:
        pass
    return told


def _names(server: Server) -> list[str]:
    return sorted(map(_name, children(server.process.pid)))


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_what_is_counted_is_told_as_events_too(tmp_path: Path) -> None:
    """With --metrics-file: the same events, and their numbers."""
    file = tmp_path / "numbers.prom"
    options = (*QUIET, "-v", "-w", "1", "--log", "json", "--metrics-file", str(file))
    with Server(ours("pytcpserver"), options, ("true",), tmp_path) as server:
        server.talk()
        until(lambda: bool(named(server, "end")))
        assert [event["decision"] for event in named(server, "connection")] == ["ok"]
    until(lambda: 'decision="ok"} 1\n' in file.read_text(), "the number")
