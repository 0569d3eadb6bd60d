"""Debian's Dovecot with users of its own: its authentication socket, and its POP3 server."""

import poplib
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from .ports import free_port
from .programs import need_root, theirs
from .waiting import PATIENCE, until

#: Whose mail it is: Debian's nobody.
_MAIL_ID = 65534

_CONFIGURATION = """
base_dir = {room}/run
state_dir = {room}/state
log_path = {room}/log
protocols = pop3
listen = {ip}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5
auth_failure_delay = 0
auth_verbose = yes
mail_location = maildir:{room}/mail/%u
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {room}/users
}}
userdb {{
  driver = static
  args = uid={id} gid={id} home={room}/mail
}}
service anvil {{
  client_limit = 1000
  # no delays for an address from which passwords were wrong
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  client_limit = 4000
  unix_listener {room}/auth {{
    mode = 0666
  }}
  inet_listener {{
    address = {ip}
    port = {auth_port}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


class Dovecot:
    """Runs within the with block, as root, for its processes take users of their own.

    passwords: of its users; those of it may be changed by users(). more: lines of configuration. ip: to listen on.
    path: of its authentication socket. port: of POP3. auth_port: of the authentication by TCP. room: a folder that all
    may enter, with its log.
    """

    def __init__(self, passwords: dict[str, str], more: str = "", ip: str = "127.0.0.1") -> None:
        need_root()
        self.ip = ip
        self.port = free_port(ip)
        self.auth_port = free_port(ip)
        self._passwords = passwords
        self._more = more

    def __enter__(self) -> "Dovecot":
        # sun_path is short, and pytest's folders are root's alone.
        self._folder = tempfile.TemporaryDirectory(prefix="dovecot")
        self.room = Path(self._folder.name)
        self._errors = (self.room / "errors").open("w+")
        self.room.chmod(0o755)
        self.path = f"{self.room}/auth"
        self.users(self._passwords)
        mail = self.room / "mail"
        mail.mkdir(mode=0o777)
        mail.chmod(0o777)
        told = {"room": self.room, "id": _MAIL_ID, "ip": self.ip, "port": self.port, "auth_port": self.auth_port}
        (self.room / "conf").write_text(_CONFIGURATION.format(**told) + self._more)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._errors.close()
        self._folder.cleanup()

    def users(self, passwords: dict[str, str]) -> None:
        """Let there be these users; what Dovecot reads is there whole at every moment."""
        new = self.room / "users.new"
        new.write_text("".join(f"{name}:{{PLAIN}}{password}::::::\n" for name, password in passwords.items()))
        new.chmod(0o644)
        new.rename(self.room / "users")

    def start(self) -> None:
        """Start it, and wait until it greets."""
        self._process = subprocess.Popen(
            [theirs("dovecot"), "-F", "-c", str(self.room / "conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        until(self._has_started, "dovecot to greet")

    def end(self) -> None:
        """End it; its processes end a moment later."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        until(lambda: not self._greets(), "dovecot's processes to end")

    def log(self) -> str:
        """What it has logged."""
        return (self.room / "log").read_text()

    def log_in(self, user: str, password: str) -> poplib.POP3:
        """A POP3 session behind its login; raises poplib.error_proto where Dovecot refuses it."""
        session = poplib.POP3(self.ip, self.port, timeout=PATIENCE)
        try:
            session.user(user)
            session.pass_(password)
        except BaseException:
            session.close()
            raise
        return session

    def _has_started(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"dovecot has ended: {(self.room / 'errors').read_text()}")
        return self._greets()

    def _greets(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as auth, socket.create_connection((self.ip, self.port)) as pop3:
                auth.connect(self.path)
                auth.settimeout(PATIENCE)
                pop3.settimeout(PATIENCE)
                return auth.recv(8) == b"VERSION\t" and pop3.recv(3) == b"+OK"
        except OSError:
            return False
