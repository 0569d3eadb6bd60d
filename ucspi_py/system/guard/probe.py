"""The checker of passwords, tried at the start with a user and a password that nobody has. Never serves a client."""

import os
import secrets
import time

from ...core.auth import checkpassword
from ...core.auth.credentials import Credentials, Peer
from ...core.errors import AskedWrongly, unable
from ...core.guard.settings import GuardSettings
from .launcher import CheckerLauncher, kill

#: Seconds between two looks whether it has ended. No client waits yet, and no signal of ours tells of it.
_LOOKS = 0.005
_LOOPBACK = b"127.0.0.1"


def probe(settings: GuardSettings, launcher: CheckerLauncher, port: bytes) -> None:
    """Try the checker. port: ours, as it reads in its environment.

    Raises AskedWrongly where it says yes or checks no passwords at all, Failure where it cannot be started.
    """
    flaw = checkpassword.command_flaw(settings.checkpassword)
    if flaw:
        raise AskedWrongly(flaw)
    told = checkpassword.told(_nobody(settings.mechanisms), settings.order)
    program = settings.checkpassword[0]
    try:
        pid = launcher.start(told or b"", Peer(_LOOPBACK, _LOOPBACK, port, secured=True))
    except OSError as error:
        raise unable(f"run {program}", error) from None
    flaw = checkpassword.probe_flaw(program, _end(pid, settings.limits.check_seconds))
    if flaw:
        raise AskedWrongly(flaw)


def _nobody(mechanisms: tuple[bytes, ...]) -> Credentials:
    login, secret = (b"nobody-%s" % secrets.token_hex(8).encode() for _ in range(2))
    if b"PLAIN" in mechanisms or b"LOGIN" in mechanisms:
        return Credentials(b"PLAIN", login, secret)
    return Credentials(b"CRAM-MD5", login, secrets.token_hex(16).encode(), b"<probe@localhost>")


def _end(pid: int, seconds: float) -> int | None:
    """How the checker ends; None where it took too long, and was killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_LOOKS)
    kill(pid)
    os.waitpid(pid, 0)
    return None
