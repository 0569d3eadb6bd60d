"""The exact lines of the guard. Each function one line; never writes it, and knows no password."""

from ..text import clean, log_field


def cannot_tell(reason: str, ip: bytes, login: bytes) -> bytes:
    """Report a check that nobody can tell the end of. ip: the client's. login: as the client says it."""
    who = b" (client %s, user %s)" % (log_field(ip), log_field(login))
    return b"guard: warning: %s%s\n" % (_text(reason), who)


def keys_kept(reason: str) -> bytes:
    """Report keys that cannot be read, so that those read before stay in use."""
    return b"guard: warning: %s, the keys read before stay in use\n" % _text(reason)


def internal_error(error: Exception) -> bytes:
    """Report an error that nobody expected: its kind and its line, and not its words, which may name a password."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    line = trace.tb_lineno if trace else 0
    file = trace.tb_frame.f_code.co_filename.rpartition("/")[2] if trace else ""
    return b"guard: warning: internal error: %s\n" % _text(f"{type(error).__name__} ({file}:{line})")


def gone(pid: int, wait_status: int) -> bytes:
    """Report the end of the guard, which nobody can start again without root.

    pid: process id. wait_status: as wait(2) gives it.
    """
    words = b"no password is checked by checkpassword and no renewed key is read until the server is started again"
    return b"tcpserver: warning: guard %d ended with status %d, %s\n" % (pid, wait_status, words)


def _text(sentence: str) -> bytes:
    return clean(sentence.encode("utf-8", "surrogateescape"))
