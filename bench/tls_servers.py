"""What the rows of TLS need: a key, ours and nginx with it, clients that speak TLS. Never measures."""

import resource
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import gates
from contenders import MANY, Server, djb_words, ours
from workshop import Spoiled, Workshop, needed, theirs

#: Where Debian has what nginx loads at its start; nginx is one process that answers and hangs up.
_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
_NGINX = """\
daemon off;
master_process off;
load_module {module};
pid {folder}/pid;
error_log {folder}/error crit;
events {{ worker_connections 10000; }}
stream {{
    server {{
        listen 127.0.0.1:{port} {ssl} backlog=1024;
        {keys}
        return "220 bench.example\\r\\n";
    }}
}}
"""
_KEYS = """\
        ssl_certificate {0.certificate};
        ssl_certificate_key {0.key};
        ssl_session_tickets off;
        ssl_session_cache off;
        ssl_protocols TLSv1.3;
"""
_PATIENCE = 60.0


class Keys(NamedTuple):
    """Files of a certificate of its own and its key, on the curve P-256."""

    certificate: Path
    key: Path


def obstacle() -> str | None:
    """Why TLS cannot be measured here; None = it can."""
    if theirs("nginx") is None or theirs("openssl") is None or not _STREAM.exists():
        return "nginx with its stream module, or openssl, is not installed"
    return None


def keys(workshop: Workshop) -> Keys:
    """Make a pair."""
    folder = Path(tempfile.mkdtemp(prefix="tls-", dir=workshop.folder))
    pair = Keys(folder / "certificate", folder / "key")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-out", str(pair.certificate), "-keyout", str(pair.key))
    command = [needed("openssl"), "req", "-x509", *curve, "-subj", "/CN=bench.example", "-days", "30", *files]
    subprocess.run(command, check=True, capture_output=True)
    return pair


def gate(workshop: Workshop, pair: Keys | None, *options: str) -> Server:
    """Ours with one worker and a gate. pair: None = it speaks no TLS."""
    secured = ("--tls", f"{pair.certificate}:{pair.key}") if pair else ()
    program = [ours("pytcpserver"), "-w", "1", "--held", MANY, *secured, *options]
    return Server(djb_words(program, workshop, 200, gates.gate_words(workshop)), {}, tells_port=True)


@contextmanager
def nginx(workshop: Workshop, pair: Keys | None) -> Iterator[Server]:
    """Start nginx's stream module with one worker, which says a banner and hangs up. pair: None = it speaks no TLS."""
    folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=workshop.folder))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ssl, files = ("ssl", _KEYS.format(pair)) if pair else ("", "")
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, module=_STREAM, port=port, ssl=ssl, keys=files))
    words = [needed("nginx"), "-p", str(folder), "-e", str(folder / "error"), "-c", str(folder / "nginx.conf")]
    with Server(words, {}, tells_port=False) as server:
        yield server


def context() -> ssl.SSLContext:
    """A client's, which believes everybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def connected(port: int, within: ssl.SSLContext | None) -> socket.socket:
    """A client that has its banner. within: None = it speaks no TLS. Raises Spoiled."""
    client = socket.create_connection(("127.0.0.1", port), _PATIENCE)
    try:
        talker = within.wrap_socket(client) if within else client
        if not talker.recv(1000).startswith(b"220 "):
            raise Spoiled("no banner")
    except BaseException:
        client.close()
        raise
    return talker


def volley(port: int, within: ssl.SSLContext | None, number: int) -> None:
    """Clients that come at once, have their banners, and leave. within: None = they speak no TLS. Raises Spoiled."""
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), _PATIENCE)) for _ in range(number)]
        if within:
            begun = [stack.enter_context(_begun(client, within)) for client in clients]
            for client in begun:
                client.do_handshake()
            clients = [*begun]
        for client in clients:
            if not client.recv(1000).startswith(b"220 "):
                raise Spoiled("no banner")


def _begun(client: socket.socket, within: ssl.SSLContext) -> ssl.SSLSocket:
    """A client that has said its hello, and no more."""
    talker = within.wrap_socket(client, do_handshake_on_connect=False)
    talker.setblocking(False)
    with suppress(ssl.SSLWantReadError):
        talker.do_handshake()
    talker.settimeout(_PATIENCE)
    return talker


@contextmanager
def holding(port: int, number: int) -> Iterator[None]:
    """Clients that stay for the length of the with block, once they have their banners."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    within = context()
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(connected(port, within))
        yield


def seconds(pids: Sequence[int]) -> float:
    """How much of the processor these processes have used, all together."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9
