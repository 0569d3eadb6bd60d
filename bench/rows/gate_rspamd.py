"""The row of rspamd before a gate: what a message takes longer with it, beyond what rspamd itself takes.

That is what a milter client takes that says all at once to rspamd and waits.
"""

import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import gates
from contenders import MANY, Server, djb_words, ours
from effort import Effort
from findings import Bar, Finding
from rounds import interleaved
from workshop import Spoiled, Workshop, needed, theirs

_BAR = Bar("<=", 2, "ms")
_PATIENCE = 20.0
#: It scans by itself in the process that speaks to the gate, asks nobody, and adds a header to each message.
_CONFIGURATION = """\
options {{
  filters = ""; url_tld = "/dev/null"; disable_hyperscan = true; local_addrs = [];
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }}
  control_socket = "{folder}/control mode=0600"; cache_file = "{folder}/cache"; tempdir = "{folder}";
}}
lang_detection {{ languages = "/nonexistent"; }}
logging {{ type = "file"; filename = "/dev/null"; level = "error"; }}
actions {{ reject = 15; add_header = 6; greylist = 4; }}
worker "rspamd_proxy" {{
  bind_socket = "{folder}/milter mode=0666"; milter = yes; count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "$PLUGINSDIR/milter_headers.lua"; }}
milter_headers {{ use = ["x-spamd-result"]; skip_local = false; }}
"""
#: Version 6, all actions, all that may be left out.
_OFFER = struct.pack("!III", 6, 0x1FF, 0x1FFFFF)
_ACCEPT, _ADD = b"a", b"h"


def obstacle() -> str | None:
    """Why it cannot be measured here; None where it can."""
    return None if theirs("rspamd") else "rspamd is not installed"


def rspamd(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Milliseconds that a small message takes longer through rspamd, without those that rspamd takes."""
    sessions = effort.messages // 10
    with _running(workshop) as path, _gate(workshop) as without, _gate(workshop, path) as behind:
        took = interleaved(
            effort.rounds,
            {
                "without": partial(_message, workshop, without, sessions),
                "behind": partial(_message, workshop, behind, sessions),
                "itself": partial(_alone, path, sessions),
            },
        )
    added = median(
        behind - without - itself
        for behind, without, itself in zip(took["behind"], took["without"], took["itself"], strict=True)
    )
    note = f"{median(took['without']):.2f} ms without rspamd, which takes {median(took['itself']):.2f} ms itself"
    work, behind_ms = "gate: a message of 2 KB through rspamd", median(took["behind"])
    return [Finding("gate-rspamd", work, "ms", behind_ms, None, None, added, _BAR, note)]


def _message(workshop: Workshop, server: Server, sessions: int) -> float:
    """Milliseconds of a session with one message, p50."""
    load = workshop.load("message", server.port, "-n", str(sessions), "-c", "1").all_served()
    if load.end_ms is None:
        raise Spoiled("no message got through")
    return load.end_ms["p50"]


def _gate(workshop: Workshop, path: Path | None = None) -> Server:
    *words, backend = gates.gate_words(workshop)
    options = ["-o", f"smtpd_milters=unix:{path}"] if path else []
    program = [ours("pytcpserver"), "-w", "1", "--held", MANY]
    environment = {"DNSCACHEIP": "127.0.0.1@9"}  # Nobody is there, and says so.
    return Server(djb_words(program, workshop, 200, [*words, *options, backend]), environment, tells_port=True)


def _alone(path: Path, sessions: int) -> float:
    """Milliseconds of a milter client with one message, p50. Raises Spoiled where rspamd does not add its header."""
    said = b"".join(_session())
    took = []
    for _ in range(sessions):
        begin = time.perf_counter()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_PATIENCE)
            client.connect(str(path))
            client.sendall(_packet(b"O", _OFFER))
            _answer(client)
            client.sendall(said)
            answers = [_answer(client)]
            while answers[-1] != _ACCEPT:
                answers.append(_answer(client))
            client.sendall(_packet(b"Q"))
        took.append(1000 * (time.perf_counter() - begin))
        if _ADD not in answers:
            raise Spoiled(f"rspamd says {answers}")
    return median(took)


def _session() -> Iterator[bytes]:
    """Packets to which rspamd says nothing until the last: macros, a client, and a message as the other clients'."""
    yield _packet(b"D", b"C" + b"\0".join((b"j", b"bench.example", b"{daemon_name}", b"bench.example", b"")))
    yield _packet(b"C", b"[127.0.0.1]\0" + b"4" + struct.pack("!H", 4321) + b"127.0.0.1\0")
    yield _packet(b"H", b"client.bench.example\0")
    yield _packet(b"M", b"<a@bench.example>\0")
    yield _packet(b"D", b"R" + b"i\0" + b"1.1\0")
    yield _packet(b"R", b"<b@bench.example>\0")
    yield _packet(b"T")
    for name, value in ((b"From", b"<a@bench.example>"), (b"To", b"<b@bench.example>"), (b"Subject", b"bench")):
        yield _packet(b"L", name + b"\0" + value + b"\0")
    yield _packet(b"N")
    yield _packet(b"B", b"QSBsaW5lIG9mIGJhc2U2NCwgYXMgYXR0YWNobWVudHMgYXJlIG1hZGUgb2YsIDc2IGxldHRlcnM=\r\n" * 25)
    yield _packet(b"E")


def _packet(command: bytes, data: bytes = b"") -> bytes:
    return struct.pack("!I", 1 + len(data)) + command + data


def _answer(client: socket.socket) -> bytes:
    """The command of the next packet. Raises Spoiled where none comes."""
    try:
        head = client.recv(5, socket.MSG_WAITALL)
    except OSError as error:
        raise Spoiled(f"rspamd says nothing: {error}") from error
    if len(head) < 5:
        raise Spoiled("rspamd has hung up")
    client.recv(struct.unpack("!I", head[:4])[0] - 1, socket.MSG_WAITALL)
    return head[4:]


@contextmanager
def _running(workshop: Workshop) -> Iterator[Path]:
    """Rspamd, by the path of its socket. Raises Spoiled where it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="rspamd-", dir=workshop.folder))
    (folder / "conf").write_text(_CONFIGURATION.format(folder=folder))
    command = [needed("rspamd"), "-f", "-i", "-c", str(folder / "conf")]
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
    try:
        end = time.monotonic() + _PATIENCE
        while not (folder / "milter").exists():
            if time.monotonic() > end or process.poll() is not None:
                raise Spoiled(f"rspamd does not start: {(folder / 'said').read_text()}")
            time.sleep(0.01)
        yield folder / "milter"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
