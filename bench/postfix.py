"""Debian's Postfix as a contender: a private instance with a queue of its own that keeps no mail. Never measures."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contenders import Server
from restrictions import Restrictions
from workshop import OWN_DOMAIN, Workshop, needed, theirs

_SECONDS = 60

#: No names are looked up, nobody is limited, nothing waits for the queue, and what comes is discarded.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {domain}
mydestination = {domain}
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
local_transport = discard:
default_transport = discard:
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
message_size_limit = 0
in_flow_delay = 0
"""
_WITHOUT_LISTS = """\
disable_dns_lookups = yes
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
"""
_MASTER = """\
127.0.0.1:0 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
"""


@contextmanager
def standing(workshop: Workshop, lists: Restrictions | None = None) -> Iterator[Server]:
    """Postfix on a loopback port, without chroot; nothing of it is left behind. lists: None = its own check only."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-", dir=workshop.folder))
    try:
        command = [*_asking(folder, lists), _master(), "-c", _configured(folder, lists), "-s"]
        with Server(command, {}, tells_port=False) as server:
            yield server
    finally:
        shutil.rmtree(folder)


def _asking(folder: Path, lists: Restrictions | None) -> list[str]:
    """What gives a command a name server of its own: a mount namespace with another resolv.conf."""
    if lists is None:
        return []
    (folder / "resolv.conf").write_text(f"nameserver {lists.name_server}\n")
    script = f'mount --bind {folder}/resolv.conf /etc/resolv.conf && exec "$@"'
    return [needed("unshare"), "-m", "sh", "-c", script, "sh"]


def _configured(folder: Path, lists: Restrictions | None) -> str:
    """The configuration directory, once Postfix has made its queue."""
    folder.chmod(0o755)  # its daemons give up root
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    main = _MAIN.format(folder=folder, domain=OWN_DOMAIN)
    (folder / "conf" / "main.cf").write_text(main + (lists.main_cf if lists else _WITHOUT_LISTS))
    (folder / "conf" / "master.cf").write_text(_MASTER)
    conf = str(folder / "conf")
    subprocess.run([needed("postfix"), "-c", conf, "check"], check=True, capture_output=True, timeout=_SECONDS)
    return conf


def _master() -> str:
    """The program that starts all others; where it is, Postfix was told when it was built."""
    command = [needed("postconf"), "-d", "-h", "daemon_directory"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    return str(Path(told.stdout.strip()) / "master")


def obstacle() -> str | None:
    """Why there can be no Postfix here; None where there can."""
    if theirs("postfix") is None:
        return "postfix is not installed"
    return None if os.geteuid() == 0 else "only root can start postfix"
