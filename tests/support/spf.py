"""Debian's policyd-spf behind pytcpserver, as the manual page of pysmtpgate has it, with a name server of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .nameserver import Records, serving
from .programs import need_root, ours, theirs
from .server import QUIET, Server

#: The name server must be the one of the system, which policyd-spf asks at port 53.
_WITH_RESOLV_CONF = 'mount --bind {file} /etc/resolv.conf && exec "$@"'
_CONFIGURATION = """\
debugLevel = 0
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
"""


@contextmanager
def policyd_spf(records: Records, folder: Path) -> Iterator[str]:
    """Run it -> the service, as a list names it. records: those of the name server."""
    need_root()
    configuration, resolv_conf = folder / "policyd-spf.conf", folder / "resolv.conf"
    configuration.write_text(_CONFIGURATION)
    program = (theirs("policyd-spf"), str(configuration))
    with serving(records, folder, port=53) as dns:
        resolv_conf.write_text(f"nameserver {dns.address}\n")
        before = (theirs("unshare"), "-m", "sh", "-c", _WITH_RESOLV_CONF.format(file=resolv_conf), "sh")
        with Server(ours("pytcpserver"), (*QUIET, "-w", "1"), program, folder, before=before) as server:
            yield f"inet:127.0.0.1:{server.port}"
