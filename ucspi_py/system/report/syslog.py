"""Lines as messages to the system's log daemon (RFC 3164, as syslog(3) writes them). Never waits for it."""

import os
import socket
from datetime import datetime

#: syslog(3): the numbers of the facilities.
_NAMES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp")
FACILITIES = {name: number for number, name in enumerate(_NAMES)} | {f"local{n}": 16 + n for n in range(8)}
_WARNING, _NOTICE = 4, 5
_PLACE = "/dev/log"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class SyslogWriter:
    """Writes whole lines, each a message; one that begins with ``warning:`` has that priority.

    facility: a number of FACILITIES. name: of the program. place: path of the daemon's socket. A daemon that is not
    there, or has no room, hears nothing; one that was started again is found.
    """

    def __init__(self, facility: int, name: str, place: str = _PLACE) -> None:
        self._facility = 8 * facility
        self._name = name
        self._place = place
        self._socket: socket.socket | None = None

    def __call__(self, data: bytes) -> int:
        """Write lines; how many bytes these are."""
        for line in data.splitlines():
            priority = self._facility + (_WARNING if line.startswith(b"warning:") else _NOTICE)
            self._send(f"<{priority}>{_time(datetime.now())} {self._name}[{os.getpid()}]: ".encode() + line)
        return len(data)

    def close(self) -> None:
        """Give the way to the daemon back, until the next line."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: bytes) -> None:
        for _ in range(2):
            try:
                self._connected().send(message)
            except BlockingIOError:
                return  # it has no room
            except OSError:
                self.close()
            else:
                return

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect(self._place)
        return self._socket


def _time(now: datetime) -> str:
    """RFC 3164, 4.1.2: English names of months, whatever the locale."""
    return f"{_MONTHS[now.month - 1]} {now.day:2} {now:%H:%M:%S}"
