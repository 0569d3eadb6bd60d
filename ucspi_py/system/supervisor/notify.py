"""The socket on which systemd hears of its service (sd_notify(3)). Never waits, and nothing hangs on it."""

import contextlib
import os
import socket


class Notify:
    """Tells whoever started us. address: of a datagram socket, a path or ``@`` and an abstract name; "" = nobody."""

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    @classmethod
    def from_environment(cls) -> "Notify":
        """What $NOTIFY_SOCKET names."""
        return cls(os.environ.get("NOTIFY_SOCKET", ""))

    def tell(self, message: bytes) -> None:
        """Send a message, in one packet; one that cannot be sent now is not sent."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message, socket.MSG_DONTWAIT, os.fsencode(self._address))
