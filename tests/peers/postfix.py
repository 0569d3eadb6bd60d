"""A private Postfix of Debian's on loopback: configuration, queue and data in a folder of its own, mail discarded.

Its smtpd listens once for each profile, a set of parameters.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.ports import free_port
from tests.support.programs import need_root, theirs
from tests.support.waiting import PATIENCE, until

_MAIN = """\
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_transport = discard
virtual_transport = discard
relay_transport = discard
default_transport = discard
smtpd_discard_ehlo_keywords = chunking, dsn, etrn, enhancedstatuscodes, vrfy
smtpd_error_sleep_time = 0
smtputf8_enable = no
"""
#: Who there is, where nothing else is said.
PLAIN = """\
compatibility_level = 3.6
mydestination = example.org
myorigin = example.org
mynetworks = 192.0.2.0/24
smtpd_peername_lookup = no
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
"""
_MASTER = """\
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""
#: net.unix.max_dgram_qlen under systemd (main.c, bump_unix_max_dgram_qlen).
_LOG_LINES = 512


class Running(NamedTuple):
    """A running one. ports: of each profile. main: its main.cf. log: its log."""

    ports: Mapping[str, int]
    main: Path
    log: Path


@contextmanager
def running(
    profiles: Mapping[str, Sequence[str]], *, main: str = PLAIN, master: str = "", name_server: str = ""
) -> Iterator[Running]:
    """Serve each profile, parameters as ``name=value``.

    main: lines of main.cf. master: more lines of master.cf. name_server: the address of the one that is asked, "" =
    that of this host.
    """
    need_root()
    _give_room_to_log()
    postfix = theirs("postfix")
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    ports = dict(zip(profiles, _free_ports(len(profiles)), strict=True))
    try:
        _furnish(folder, profiles, ports, main)
        with (folder / "etc/master.cf").open("a") as file:
            file.write(master)
        command = (postfix, "-c", str(folder / "etc"))
        _run(*_asking(folder, name_server), *command, "start")
        try:
            until(lambda: all(map(_listens, ports.values())), f"Postfix on {ports}")
            yield Running(ports, folder / "etc/main.cf", folder / "log")
        finally:
            _abort(folder, command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_room_to_log() -> None:
    """Have sockets queue as many log lines as systemd has them at boot.

    With the kernel's own 10 a master that logs waits for postlogd, which it has not started yet, and all wait for it.
    """
    limit = Path("/proc/sys/net/unix/max_dgram_qlen")
    if int(limit.read_text()) < _LOG_LINES:
        with suppress(OSError):  # a container may not
            limit.write_text(f"{_LOG_LINES}\n")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def _abort(folder: Path, command: Sequence[str]) -> None:
    """Stop Postfix. What hangs meanwhile, as its own command has been seen to do, ends with its master's group."""
    try:
        _run(*command, "abort")
    except subprocess.TimeoutExpired:
        os.killpg(int((folder / "spool/pid/master.pid").read_text()), signal.SIGKILL)


def _asking(folder: Path, name_server: str) -> Sequence[str]:
    """What starts a command with a name server of its own: in a mount namespace with another resolv.conf."""
    if not name_server:
        return ()
    (folder / "resolv.conf").write_text(f"nameserver {name_server}\noptions attempts:1 timeout:5\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    binds = " && ".join(f"mount --bind {folder / name} /etc/{name}" for name in ("resolv.conf", "hosts"))
    return ("unshare", "-m", "sh", "-c", f'{binds} && exec "$@"', "sh")


def _furnish(folder: Path, profiles: Mapping[str, Sequence[str]], ports: Mapping[str, int], main: str) -> None:
    folder.chmod(0o755)
    for name in ("etc", "spool", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "etc/main.cf").write_text(_MAIN.format(folder=folder) + main)
    services = [
        f"127.0.0.1:{ports[name]} inet n - n - - smtpd {' '.join(map(_option, words))}\n"
        for name, words in profiles.items()
    ]
    (folder / "etc/master.cf").write_text("".join(services) + _MASTER)
    os.chmod(folder / "etc/main.cf", 0o644)


def _option(word: str) -> str:
    name, _, value = word.partition("=")
    return f"-o {{ {name} = {value} }}" if value else f"-o {name}="


def _free_ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
