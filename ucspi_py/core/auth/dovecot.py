"""The client's side of Dovecot's authentication protocol 1, for any number of questions at once. Never sends anything.

Source: doc.dovecot.org, Authentication Protocol; auth-client-connection.c, auth-request-handler.c; how Postfix asks:
xsasl_dovecot_server.c.
"""

from base64 import b64encode
from collections.abc import Iterator

from ..errors import Failure
from .answer import Answer, Verdict
from .credentials import Credentials, Peer

#: Bytes of a line (Dovecot's AUTH_CLIENT_MAX_LINE_LENGTH).
LINE_LIMIT = 8192
#: Mechanisms with a password, which we know whole. Of CRAM-MD5 Dovecot wants to make the challenge.
_KNOWN = (b"PLAIN", b"LOGIN")
#: Numbers of questions have 31 bits.
_NUMBERS = (1 << 31) - 1
#: What would end a word (strescape.c, str_tabescape). The escape itself comes first, and is taken back last.
_ESCAPES = {b"\1": b"\1" + b"1", b"\0": b"\1" + b"0", b"\t": b"\1t", b"\r": b"\1r", b"\n": b"\1n"}


class NotDovecot(Failure):
    """What answers there speaks another protocol."""


class DovecotClient:
    """One connection.

    number: by which Dovecot tells its clients apart, 1 to 4294967295; no other one may have it. service: as Dovecot
    knows it.

    mechanisms: what Dovecot has and we can ask with, known once it is ready. ready: whether it may be asked.
    """

    def __init__(self, number: int, service: bytes) -> None:
        self.mechanisms: tuple[bytes, ...] = ()
        self.ready = False
        self._number = number
        self._service = service
        self._last = 0
        self._asked: dict[int, Credentials] = {}
        self._rest = b""
        self._has_version = False

    def hello(self) -> bytes:
        """Make what is said first, without waiting."""
        return b"VERSION\t1\t0\nCPID\t%d\n" % self._number

    def ask(self, credentials: Credentials, peer: Peer) -> tuple[int, bytes]:
        """Make a question -> its number, and what is sent. Only when ready, and with one of the mechanisms."""
        self._last = number = self._last % _NUMBERS + 1
        self._asked[number] = credentials
        facts = {b"lip": peer.local_ip, b"rip": peer.remote_ip, b"lport": peer.local_port}
        words = [b"AUTH", b"%d" % number, credentials.mechanism, b"service=" + _escaped(self._service), b"nologin"]
        words += [name + b"=" + _escaped(value) for name, value in facts.items() if value]
        words += [b"secured"] * peer.secured
        # What stands behind resp= may hold anything: no word comes after it.
        words.append(b"resp=" + b64encode(_first_response(credentials)))
        return number, b"\t".join(words) + b"\n"

    def forget(self, number: int) -> bytes:
        """Make what takes a question back; its answer, if it comes, is passed over."""
        return b"CANCEL\t%d\n" % number if self._asked.pop(number, None) else b""

    def receive(self, data: bytes) -> Iterator[tuple[int, Answer | bytes]]:
        """Take what has come -> for each question that it is about, its answer, or what is to be sent for it.

        Raises NotDovecot: nothing more can be made of this connection.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_LIMIT:
            raise NotDovecot("a line of Dovecot has no end")
        for line in lines:
            yield from self._line(line)

    def _line(self, line: bytes) -> Iterator[tuple[int, Answer | bytes]]:
        verb, *words = line.split(b"\t")
        if not self._has_version and verb != b"VERSION":
            raise NotDovecot("what listens there does not speak Dovecot's authentication protocol")
        if verb == b"VERSION":
            self._version(words)
        elif verb == b"MECH" and words and words[0] in _KNOWN and words[0] not in self.mechanisms:
            self.mechanisms += (words[0],)
        elif verb == b"DONE":
            self.ready = True
        elif verb in (b"OK", b"FAIL", b"CONT"):
            yield from self._reply(verb, words)

    def _version(self, words: list[bytes]) -> None:
        """A major version of its own is another protocol; a minor one only adds to it."""
        if words[:1] != [b"1"]:
            raise NotDovecot("Dovecot speaks another version of the authentication protocol than 1")
        self._has_version = True

    def _reply(self, verb: bytes, words: list[bytes]) -> Iterator[tuple[int, Answer | bytes]]:
        number = int(words[0]) if words and words[0].isdigit() and len(words[0]) < 11 else 0
        credentials = self._asked.get(number)
        if credentials is None:
            return
        if verb == b"CONT" and credentials.mechanism == b"LOGIN":
            # Asked for the password now; that it is asked for again would be no LOGIN.
            self._asked[number] = credentials._replace(mechanism=b"")
            yield number, b"CONT\t%d\t%b\n" % (number, b64encode(credentials.secret))
            return
        del self._asked[number]
        yield number, _answer(verb, _facts(words[1:]), credentials.login)


def _first_response(credentials: Credentials) -> bytes:
    """RFC 4616, 2, without an identity to act as; of LOGIN the name."""
    if credentials.mechanism == b"LOGIN":
        return credentials.login
    return b"\0" + credentials.login + b"\0" + credentials.secret


def _answer(verb: bytes, facts: dict[bytes, bytes], login: bytes) -> Answer:
    """A temporary failure is no refusal; nor is a question of Dovecot where there is nothing more to say."""
    reason = (facts.get(b"reason") or facts.get(b"code") or b"").decode("utf-8", "replace")
    if verb == b"OK":
        return Answer(Verdict.YES, facts.get(b"user", login))
    if verb == b"FAIL" and b"temp" not in facts:
        return Answer(Verdict.NO, b"", reason)
    return Answer(Verdict.LATER, b"", reason or "Dovecot cannot tell")


def _facts(words: list[bytes]) -> dict[bytes, bytes]:
    pairs = (word.partition(b"=") for word in words)
    return {name: _unescaped(value) for name, _, value in pairs}


def _escaped(value: bytes) -> bytes:
    for byte, escape in _ESCAPES.items():
        value = value.replace(byte, escape)
    return value


def _unescaped(value: bytes) -> bytes:
    for byte, escape in reversed(_ESCAPES.items()):
        value = value.replace(escape, byte)
    return value
