"""The exact lines of tcpserver, made safe for loggers. Each function one line; never writes it."""

from ..address import is_ipv6
from ..client.connection import Endpoints, Names
from ..text import clean, log_field


def status(running: int, limit: int) -> bytes:
    """Report the backends (tcpserver.c, printstatus). running: how many run. limit: how many may (-c)."""
    return b"tcpserver: status: %d/%d\n" % (running, limit)


def arrived(pid: int, ip: bytes) -> bytes:
    """Name a connection and the process that has it. pid: process id."""
    return b"tcpserver: pid %d from %s\n" % (pid, ip)


def decided(word: bytes, pid: int, endpoints: Endpoints, names: Names) -> bytes:
    """Name everything known of both ends (tcpserver.c, doit). word: the rules', ``ok`` or ``deny``. pid: process id."""
    return b"tcpserver: %s %d %s:%s:%s %s:%s:%s:%s\n" % (
        word,
        pid,
        log_field(names.local_host or b""),
        _address(endpoints.local_ip),
        endpoints.local_port,
        log_field(names.remote_host or b""),
        _address(endpoints.remote_ip),
        log_field(names.remote_info or b""),
        endpoints.remote_port,
    )


def turned_away(pid: int, ip: bytes, reason: bytes) -> bytes:
    """Name a client over a limit. pid: the worker's process id."""
    return b"tcpserver: limit %d from %s: %s\n" % (pid, ip, reason)


def unsecured(pid: int, ip: bytes, reason: str) -> bytes:
    """Name a client with which no TLS can be spoken. pid: the worker's process id. reason: OpenSSL's, or ours."""
    return b"tcpserver: tls %d from %s: %s\n" % (pid, ip, clean(reason.encode("utf-8", "replace")))


def without_header(pid: int, ip: bytes, reason: str) -> bytes:
    """Name who connects where proxies do, and does not say for whom. pid: the worker's process id."""
    return b"tcpserver: proxy %d from %s: %s\n" % (pid, ip, reason.encode("ascii"))


def ruled(ip: bytes, origin: bytes) -> bytes:
    """Name the line of rules source that decided about a client."""
    return b"tcpserver: rule for %s: %s\n" % (ip, clean(origin))


def ended(pid: int, wait_status: int) -> bytes:
    """Report the end of a process. pid: process id. wait_status: as wait(2) gives it, not an exit code."""
    return b"tcpserver: end %d status %d\n" % (pid, wait_status)


def reloading(pid: int, workers: int) -> bytes:
    """Report that new workers follow. pid: the master's process id. workers: how many."""
    return b"tcpserver: reload %d: %d new workers follow\n" % (pid, workers)


def stopping(pid: int, running: int, limit: int) -> bytes:
    """Report that nobody listens any more. pid: the master's process id. running, limit: backends, as of status()."""
    return b"tcpserver: stop %d: %d/%d programs go on\n" % (pid, running, limit)


def warning(sentence: str) -> bytes:
    """Report something wrong that the server survives."""
    return _sentence("tcpserver: warning: ", sentence)


def internal_error(what: str) -> bytes:
    """Report an error that nobody expected."""
    return b"tcpserver: warning: internal error: %s\n" % clean(what.encode("utf-8", "replace"))


def lame(seconds: int) -> bytes:
    """Say that the service is about to stop. seconds: for which it serves still."""
    return b"tcpserver: stop in %d seconds, until then checks of proxies fail\n" % seconds


def followed() -> bytes:
    """Say that a new program takes over, under the same process id."""
    return b"tcpserver: restart: the new program takes over\n"


def tried(finding: str) -> bytes:
    """Say what the trial of a new program has found. finding: as --check has it."""
    return _sentence("tcpserver: restart: ", finding)


def kept_guard(pid: int) -> bytes:
    """Say that what has root is still the old program's. pid: the guard's process id."""
    return b"tcpserver: restart: guard %d goes on as it was started, for want of root\n" % pid


def lost(number: int) -> bytes:
    """Report lines that the reader of the log had no room for. number: how many."""
    return warning(f"{number} log lines lost, the reader of the log was too slow")


def dropping(sentence: str) -> bytes:
    """Report a connection lost to a failure of ours."""
    return _sentence("tcpserver: warning: dropping connection, ", sentence)


def crashed(what: str) -> bytes:
    """Report a connection lost to an error that nobody expected."""
    return b"tcpserver: warning: dropping connection, internal error: %s\n" % clean(what.encode("utf-8", "replace"))


def _sentence(prefix: str, sentence: str) -> bytes:
    return (prefix + sentence + "\n").encode("utf-8", "surrogateescape")


def _address(ip: bytes) -> bytes:
    """An IPv6 address keeps its colons, as in ucspi-tcp6: fields are then counted from the line's end."""
    return ip if is_ipv6(ip) else log_field(ip)
