"""saslauthd's protocol: what it is asked, and what its answer means. Never asks it.

Source: Cyrus SASL 2.1.28, lib/checkpw.c (saslauthd_verify_password) and saslauthd/ipc_unix.c.
"""

from .answer import Answer, Verdict
from .credentials import Credentials

#: Bytes of a field of the question (ipc_unix.c, MAX_REQ_LEN).
_FIELD_LIMIT = 256
#: Bytes of an answer (checkpw.c).
_ANSWER_LIMIT = 1024
_LENGTH = 2


def question(credentials: Credentials, service: bytes, realm: bytes) -> bytes | None:
    """Make the question about a password; None = it has no form in this protocol.

    service: of PAM, as smtp. realm: where the login has none; what stands behind its last @ is one.
    """
    user, at, own_realm = credentials.login.rpartition(b"@")
    fields = (user, credentials.secret, service, own_realm) if at else (own_realm, credentials.secret, service, realm)
    if not fields[0] or not fields[1] or any(b"\0" in field or len(field) > _FIELD_LIMIT for field in fields):
        return None
    return b"".join(len(field).to_bytes(_LENGTH, "big") + field for field in fields)


class AnswerReader:
    """Puts an answer together: its length, then OK or NO and perhaps a reason."""

    def __init__(self) -> None:
        self._read = bytearray()

    def receive(self, data: bytes) -> bytes | None:
        """Take what has come; the answer once it is whole. Of one that is too long the beginning is enough."""
        self._read += data[: _LENGTH + _ANSWER_LIMIT - len(self._read)]
        size = min(int.from_bytes(self._read[:_LENGTH], "big"), _ANSWER_LIMIT)
        whole = len(self._read) >= _LENGTH + size
        return bytes(self._read[_LENGTH : _LENGTH + size]) if whole else None


def answer(login: bytes, realm: bytes, said: bytes) -> Answer:
    """Say what an answer means.

    login: who was asked about. realm: as in question(); with one, the login has it from now on (canonusr.c). said: by
    saslauthd. A NO has its reason in saslauthd's own log; what is neither is no refusal.
    """
    if said.startswith(b"OK"):
        return Answer(Verdict.YES, login if b"@" in login or not realm else login + b"@" + realm)
    if said.startswith(b"NO"):
        return Answer(Verdict.NO, b"", "authentication failure")
    return Answer(Verdict.LATER, b"", "saslauthd says neither OK nor NO")
