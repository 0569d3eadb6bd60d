"""Every way to fail, each with its exit code, and djb's words for errno. Never prints and never exits.

djb's convention: 100 = you asked wrongly, asking again will not help; 111 = something failed, try again later.
"""

import errno


class Failure(Exception):
    """Something the program cannot go on from.

    sentence: what an operator reads after ``prog: fatal:``, as text (raw bytes by surrogateescape).
    exit_code: what the program ends with, 100 or 111. more: lines to show below the sentence.
    """

    exit_code = 111

    def __init__(self, sentence: str, more: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.more = more


class AskedWrongly(Failure):
    """The operator's options or input are wrong; the usage line helps."""

    exit_code = 100


class UnparsableLine(Failure):
    """A line of rules source that is not in the language (tcprules.c, die_bad)."""

    exit_code = 100


class TooManyWarnings(Failure):
    """Rules that can be compiled, and should not be: --strict takes no warning."""

    exit_code = 100


class NoClients(Failure):
    """A log without a client: whom a change would affect cannot be found out."""

    exit_code = 100


class NoLines(Failure):
    """A log without a line of our programs: nothing can be said of it."""

    exit_code = 100


class CorruptRules(Failure):
    """A compiled rules file that cannot be trusted: no client may be let in by it."""


def unable(deed: str, error: OSError) -> Failure:
    """Make the failure ``unable to DEED: reason`` of an error of the system. deed: as in ``bind`` or ``read FILE``."""
    return Failure(f"unable to {deed}: {error_words(error.errno)}")


def error_words(number: int | None) -> str:
    """Translate an errno to djb's words (error_str.c), which log parsers know; those of strerror differ.

    number: the errno; None, as of an OSError without one, is "no error".
    """
    return _WORDS.get(number or 0, "unknown error")


def _table(**words: str) -> dict[int, str]:
    return {getattr(errno, name): text for name, text in words.items() if hasattr(errno, name)}


_WORDS = {0: "no error"} | _table(
    EINTR="interrupted system call",
    ENOMEM="out of memory",
    ENOENT="file does not exist",
    ETXTBSY="text busy",
    EIO="input/output error",
    EEXIST="file already exists",
    ETIMEDOUT="timed out",
    EINPROGRESS="operation in progress",
    EAGAIN="temporary failure",
    EPIPE="broken pipe",
    EPERM="permission denied",
    EACCES="access denied",
    ENXIO="device not configured",
    EPROTO="protocol error",
    EISDIR="is a directory",
    ESRCH="no such process",
    E2BIG="argument list too long",
    ENOEXEC="exec format error",
    EBADF="file descriptor not open",
    ECHILD="no child processes",
    EDEADLK="operation would cause deadlock",
    EFAULT="bad address",
    ENOTBLK="not a block device",
    EBUSY="device busy",
    EXDEV="cross-device link",
    ENODEV="device does not support operation",
    ENOTDIR="not a directory",
    EINVAL="invalid argument",
    ENFILE="system cannot open more files",
    EMFILE="process cannot open more files",
    ENOTTY="not a tty",
    EFBIG="file too big",
    ENOSPC="out of disk space",
    ESPIPE="unseekable descriptor",
    EROFS="read-only file system",
    EMLINK="too many links",
    EDOM="input out of range",
    ERANGE="output out of range",
    EALREADY="operation already in progress",
    ENOTSOCK="not a socket",
    EDESTADDRREQ="destination address required",
    EMSGSIZE="message too long",
    EPROTOTYPE="incorrect protocol type",
    ENOPROTOOPT="protocol not available",
    EPROTONOSUPPORT="protocol not supported",
    ESOCKTNOSUPPORT="socket type not supported",
    EOPNOTSUPP="operation not supported",
    EPFNOSUPPORT="protocol family not supported",
    EAFNOSUPPORT="address family not supported",
    EADDRINUSE="address already used",
    EADDRNOTAVAIL="address not available",
    ENETDOWN="network down",
    ENETUNREACH="network unreachable",
    ENETRESET="network reset",
    ECONNABORTED="connection aborted",
    ECONNRESET="connection reset",
    ENOBUFS="out of buffer space",
    EISCONN="already connected",
    ENOTCONN="not connected",
    ESHUTDOWN="socket shut down",
    ETOOMANYREFS="too many references",
    ECONNREFUSED="connection refused",
    ELOOP="symbolic link loop",
    ENAMETOOLONG="file name too long",
    EHOSTDOWN="host down",
    EHOSTUNREACH="host unreachable",
    ENOTEMPTY="directory not empty",
    EUSERS="too many users",
    EDQUOT="disk quota exceeded",
    ESTALE="stale NFS file handle",
    EREMOTE="too many levels of remote in path",
    ENOLCK="no locks available",
    ENOSYS="system call not available",
)
