"""The name servers in force: $DNSCACHEIP's, or resolv.conf's as it is now. Never sends a query."""

import os

from ...core.dns.servers import LOCAL, Server, from_resolv_conf, from_variable

_RESOLV_CONF = "/etc/resolv.conf"
#: Seconds between two looks at the file: stat is cheap, but not for nothing.
_LOOKS = 1.0
#: Characters: a resolv.conf that is larger is none.
_SIZE_LIMIT = 1 << 16


class ServerList:
    """Gives the servers of $DNSCACHEIP or, where that names none, those of the file as it is now.

    variable: the value of $DNSCACHEIP, "" = not set. path: of resolv.conf(5). Raises AskedWrongly for a word in the
    variable that is no name server.
    """

    def __init__(self, variable: str, path: str = _RESOLV_CONF) -> None:
        self._path = path
        self._fixed = from_variable(variable)
        self._version: tuple[int, ...] | None = None
        self._look_at = 0.0
        self._servers = self._fixed or LOCAL
        if not self._fixed:
            self._read_again()

    def current(self, now: float) -> tuple[Server, ...]:
        """List the servers, in order; the same object as long as they are the same.

        now: seconds of the monotonic clock; the file is looked at once a second at most. A missing file means this
        machine, as in C. An unreadable one changes nothing: the process that read it at the start may be root no more.
        """
        if now >= self._look_at and not self._fixed:
            self._look_at = now + _LOOKS
            self._read_again()
        return self._servers

    def _read_again(self) -> None:
        try:
            version = _version(os.stat(self._path))
            if version == self._version:
                return
            with open(self._path, encoding="utf-8", errors="replace") as file:
                servers = from_resolv_conf(file.read(_SIZE_LIMIT)) or LOCAL
                # What was stat'ed before may have been rewritten in place since: then it is read again next time.
                self._version = version if _version(os.fstat(file.fileno())) == version else None
        except FileNotFoundError:
            servers, self._version = LOCAL, None
        except OSError:
            return
        if servers != self._servers:
            self._servers = servers


def _version(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
