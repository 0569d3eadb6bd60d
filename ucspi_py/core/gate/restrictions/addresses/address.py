"""An address of the envelope in the forms in which Postfix looks at it (rewrite.c, resolve.c, mail_addr_find.c)."""

from collections.abc import Iterator, Sequence

from ....smtp.path import Path
from ..evaluation import Evaluation

SENDER, RECIPIENT = b"Sender address", b"Recipient address"

#: split_addr.c: who has no extensions.
_UNSPLIT = frozenset((b"postmaster", b"mailer-daemon", b"double-bounce"))


def said(path: Path) -> bytes:
    """An address as replies and searches show it: its local part without quotes."""
    return path.local if path.domain is None else b"%b@%b" % (path.local, path.domain)


def wanted(evaluation: Evaluation, kind: bytes) -> Path | None:
    """The sender or the recipient, by its kind; None where there is none yet, and for the null sender."""
    path = evaluation.facts.sender if kind == SENDER else evaluation.recipient
    return None if path is None or path.is_null else path


def without_extension(evaluation: Evaluation, local: bytes) -> bytes | None:
    """A local part in lower case without its extension; None where it has none (recipient_delimiter)."""
    delimiters = evaluation.settings.recipient_delimiter
    position = next((place for place, byte in enumerate(local) if byte in delimiters), 0)
    if not position or local in _UNSPLIT or _is_of_list(evaluation, local):
        return None
    return local[:position]


def locals_of(evaluation: Evaluation, local: bytes) -> tuple[bytes, ...]:
    """A local part in lower case, and behind it the same without its extension, where it has one."""
    bare = without_extension(evaluation, local)
    return (local,) if bare is None else (local, bare)


def whole_keys(locals_: Sequence[bytes], domain: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield the keys that are whole addresses, quoted and not, and whether each is only a part of what was said."""
    for place, local in enumerate(locals_):
        for key in dict.fromkeys((quoted(local, domain), b"%b@%b" % (local, domain))):
            yield key, place > 0


def _is_of_list(evaluation: Evaluation, local: bytes) -> bool:
    """Whether it is the address of those who run a mailing list (owner_request_special)."""
    if b"-" not in evaluation.settings.recipient_delimiter or not evaluation.settings.owner_request_special:
        return False
    return local.startswith(b"owner-") or (len(local) > 8 and local.endswith(b"-request"))


def quoted(local: bytes, domain: bytes | None) -> bytes:
    """An address as tables have it, quoted where it must be."""
    return Path(local, domain).address
