"""A model of notqmail's qmail-smtpd, byte for byte in what it reads, says and queues; no mail server.

    notqmail.py CONTROL        environment: QMAILQUEUE TCPREMOTEIP TCPREMOTEHOST TCPREMOTEINFO TCPLOCALHOST TCPLOCALIP
                               RELAYCLIENT DATABYTES

Written after the behaviour of qmail-smtpd.c, commands.c, qmail.c, received.c, rcpthosts.c and control.c (notqmail
a7012e4); its names are theirs, so that the two can be read side by side. CONTROL: me, smtpgreeting, timeoutsmtpd,
databytes, rcpthosts, badmailfrom. Not modelled: morercpthosts.cdb, localiphost, and the end of memory. It is started
for every message of a test, so that it imports nothing that takes its time.
"""

import os
import select
import sys
import time

HOPS_LIMIT = 100
ADDRESS_LIMIT = 900

_STRAY_NEWLINE = b"451 See https://cr.yp.to/docs/smtplf.html.\r\n"
_NO_CONTROL = b"421 unable to read controls (#4.3.0)\r\n"
_TIMEOUT = b"451 timeout (#4.4.2)\r\n"
_SYNTAX = b"555 syntax error (#5.5.4)\r\n"
_WANT_MAIL = b"503 MAIL first (#5.5.1)\r\n"
_WANT_RCPT = b"503 RCPT first (#5.5.1)\r\n"
_BAD_SENDER = b"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n"
_NO_GATEWAY = b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n"
_HOPS = b"554 too many hops, this message is looping (#5.4.6)\r\n"
_TOO_LARGE = b"552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n"
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789].@%+/=:[-"
_SAFE = bytes(byte if byte in _PLAIN else 0x3F for byte in range(256))
_FIXED = {
    b"help": b"214 notqmail home page: https://notqmail.org\r\n",
    b"noop": b"250 ok\r\n",
    b"vrfy": b"252 send some mail, i'll try my best\r\n",
}

#: qmail.c, qmail_close: exit codes of qmail-queue that have words of their own.
_QUEUE_WORDS = {
    11: b"554 envelope address too long for qq (#5.1.3)",
    31: b"554 mail server permanently rejected message (#5.3.0)",
    51: b"451 qq out of memory (#4.3.0)",
    52: b"451 qq timeout (#4.3.0)",
    53: b"451 qq write error or disk full (#4.3.0)",
    54: b"451 qq read error (#4.3.0)",
    71: b"451 mail server temporarily rejected message (#4.3.0)",
    91: b"451 qq internal bug (#4.3.0)",
    120: b"451 unable to exec qq (#4.3.0)",
}


class End(Exception):
    """The process ends. args: its exit code."""


class StrayNewline(Exception):
    """A LF without its CR."""


class Blast:
    """The end of a message, and what is queued of it: qmail-smtpd.c, blast(). hops: Received and Delivered-To lines.

    State 0: within a line. 1: behind CRLF. 2: behind CRLF and a dot. 3: behind CRLF, dot, CR. 4: behind CR.
    """

    def __init__(self) -> None:
        self.ended = False
        self.hops = 0
        self._state = 1
        self._front: bytearray | None = bytearray()  # the first nine bytes of a header line; None behind the header

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """What these bytes put into the message, and those of them that are behind its end. Raises StrayNewline."""
        put = bytearray()
        place = 0
        while place < len(data) and not self.ended:
            if self._state == 0 and self._front is None:
                run = data[place:].partition(b"\n")[0].partition(b"\r")[0]
                place += len(run)
                put += run
                if place == len(data):
                    break
            self._count(data[place])
            put += self._take(data[place])
            place += 1
        return bytes(put), data[place:]

    def _take(self, byte: int) -> bytes:
        """The switch of the C code. Raises StrayNewline."""
        state, char = self._state, bytes((byte,))
        if char == b"\n" and state in (0, 1, 2):
            raise StrayNewline
        match state, char:
            case (0 | 1, b"\r"):
                self._state, put = 4, b""
            case 1, b".":
                self._state, put = 2, b""
            case 2, b"\r":
                self._state, put = 3, b""
            case 3, b"\n":
                self.ended, put = True, b""
            case 3, b"\r":
                self._state, put = 4, b".\r"
            case 3, _:
                self._state, put = 0, b".\r" + char
            case 4, b"\n":
                self._state, put = 1, char
            case 4, b"\r":
                put = char
            case 4, _:
                self._state, put = 0, b"\r" + char
            case _:
                self._state, put = 0, char
        return put

    def _count(self, byte: int) -> None:
        """Look for hops at the front of header lines."""
        if self._front is None:
            return
        if len(self._front) < 9:
            self._front.append(byte)
            front = bytes(self._front)
            self.hops += front.lower() in (b"received", b"delivered")
            if front == b"\r\n":
                self._front = None
                return
        if byte == 0x0A:
            self._front.clear()


class Controls:
    """The files of CONTROL. Raises End where qmail-smtpd would not begin."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        me = self._line("me", b"")
        self.greeting = self._line("smtpgreeting", me)
        if self._bytes("me") is None and self._bytes("smtpgreeting") is None:
            raise End(1)
        self.timeout = max(1, int(self._line("timeoutsmtpd", b"1200")))
        self.databytes = int(os.environb.get(b"DATABYTES") or self._line("databytes", b"0"))
        self._rcpthosts = self._lines("rcpthosts")
        self._badmailfrom = self._lines("badmailfrom") or frozenset()

    def allows(self, address: bytes) -> bool:
        """rcpthosts.c: every address without a host, and every one where there is no file."""
        _, at, host = address.lower().rpartition(b"@")
        if self._rcpthosts is None or not at:
            return True
        ends = [host, *(host[dot:] for dot in range(1, len(host)) if host[dot : dot + 1] == b".")]
        return any(end in self._rcpthosts for end in ends)

    def is_bad(self, address: bytes) -> bool:
        """The sender itself, or its host with the @ before it."""
        address = address.lower()
        _, at, host = address.rpartition(b"@")
        return address in self._badmailfrom or (bool(at) and at + host in self._badmailfrom)

    def _line(self, name: str, otherwise: bytes) -> bytes:
        found = self._bytes(name)
        return otherwise if found is None else found.partition(b"\n")[0].rstrip(b" \t\n")

    def _lines(self, name: str) -> frozenset[bytes] | None:
        found = self._bytes(name)
        if found is None:
            return None
        lines = [line.rstrip(b" \t").lower() for line in found.split(b"\n")]
        return frozenset(line for line in lines if line and not line.startswith(b"#"))

    def _bytes(self, name: str) -> bytes | None:
        try:
            with open(f"{self._folder}/{name}", "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None


class Queue:
    """A running $QMAILQUEUE: message on its descriptor 0, envelope on 1, its own words on 6. pid: its process id."""

    def __init__(self) -> None:
        (message, self._message), (envelope, self._envelope), (self._words, words) = (os.pipe() for _ in range(3))
        moved = ((message, 0), (envelope, 1), (words, 6))
        actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for descriptor, number in moved]
        program = os.environ.get("QMAILQUEUE", "bin/qmail-queue")
        self.pid = os.posix_spawn(program, [program], os.environ, file_actions=actions)
        self.failed = False
        for descriptor in (message, envelope, words):
            os.close(descriptor)

    def put(self, data: bytes) -> None:
        """More of the message."""
        self._write(self._message, data)

    def close(self, envelope: bytes) -> bytes:
        """End the message, tell the envelope; the reply that this earns, b"" for success."""
        os.close(self._message)
        self._write(self._envelope, envelope)
        os.close(self._envelope)
        with os.fdopen(self._words, "rb") as stream:
            words = stream.read(255)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if code < 0:
            return b"451 qq crashed (#4.3.0)"
        if code == 0:
            return _QUEUE_WORDS[54] if self.failed else b""
        if code == 82 and len(words) > 2:
            return (b"554 " if words.startswith(b"D") else b"451 ") + words[1:]
        permanent = b"554 qq permanent problem (#5.3.0)" if 11 <= code <= 40 else b"451 qq temporary problem (#4.3.0)"
        return _QUEUE_WORDS.get(code, permanent)

    def _write(self, descriptor: int, data: bytes) -> None:
        try:
            while data and not self.failed:
                data = data[os.write(descriptor, data) :]
        except BrokenPipeError:
            self.failed = True


class Smtpd:
    """The process: one client on descriptors 0 and 1."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._relayclient = os.environb.get(b"RELAYCLIENT")
        self._helo: bytes | None = None
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._barf = False
        self._in = b""
        self._out = b""

    def serve(self) -> None:
        """Until somebody ends it. Raises End."""
        self._out += b"220 " + self._controls.greeting + b" ESMTP\r\n"
        while True:
            line = self._read_line().partition(b"\0")[0]
            verb, _, argument = line.partition(b" ")
            self._carry_out(verb.lower(), argument.lstrip(b" "))

    def _carry_out(self, verb: bytes, argument: bytes) -> None:
        act = getattr(self, f"smtp_{verb.decode('latin-1')}", None) if verb.isalpha() else None
        if act:
            act(argument)
        else:
            self._out += _FIXED.get(verb, b"502 unimplemented (#5.5.1)\r\n")
        if verb not in (b"rcpt", b"mail", b"rset"):
            self._flush()

    def smtp_helo(self, argument: bytes) -> None:
        """One line."""
        self._out += b"250 " + self._controls.greeting + b"\r\n"
        self._helo, self._sender = argument, None

    def smtp_ehlo(self, argument: bytes) -> None:
        """What qmail-smtpd has to offer."""
        self._out += b"250-" + self._controls.greeting + b"\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        self._helo, self._sender = argument, None

    def smtp_rset(self, _argument: bytes) -> None:
        """Drop the transaction."""
        self._sender = None
        self._out += b"250 flushed\r\n"

    def smtp_quit(self, _argument: bytes) -> None:
        """Leave."""
        raise self._end(b"221 " + self._controls.greeting + b"\r\n", 0)

    def smtp_mail(self, argument: bytes) -> None:
        """Begin a transaction, also within another."""
        address = addrparse(argument)
        if address is None:
            self._out += _SYNTAX
            return
        self._barf = self._controls.is_bad(address)
        self._sender, self._recipients = address, []
        self._out += b"250 ok\r\n"

    def smtp_rcpt(self, argument: bytes) -> None:
        """Take a recipient; $RELAYCLIENT is put behind it."""
        address = addrparse(argument)
        if self._sender is None:
            self._out += _WANT_MAIL
        elif address is None:
            self._out += _SYNTAX
        elif self._barf:
            self._out += _BAD_SENDER
        elif self._relayclient is None and not self._controls.allows(address):
            self._out += _NO_GATEWAY
        else:
            self._recipients.append(address + (self._relayclient or b"").partition(b"\0")[0])
            self._out += b"250 ok\r\n"

    def smtp_data(self, _argument: bytes) -> None:
        """Take a message. Raises End at a stray newline, and where the client goes before its end."""
        if self._sender is None or not self._recipients:
            self._out += _WANT_MAIL if self._sender is None else _WANT_RCPT
            return
        sender, self._sender = self._sender, None
        try:
            queue = Queue()
        except OSError:
            self._out += b"451 qqt failure (#4.3.0)\r\n"
            return
        self._out += b"354 go ahead\r\n"
        queue.put(self._received())
        blast = Blast()
        too_large = self._pour(blast, queue)
        queue.failed |= too_large or blast.hops >= HOPS_LIMIT
        failure = queue.close(b"F%b\0%b\0" % (sender, b"".join(b"T%b\0" % rcpt for rcpt in self._recipients)))
        if not failure:
            failure = b"250 ok %d qp %d" % (time.time(), queue.pid)
        elif blast.hops >= HOPS_LIMIT:
            failure = _HOPS[:-2]
        elif too_large:
            failure = _TOO_LARGE[:-2]
        self._out += failure + b"\r\n"

    def _pour(self, blast: Blast, queue: Queue) -> bool:
        """Take bytes from the client to the queue until the message ends; whether it was more than databytes."""
        limit, size = self._controls.databytes, 0
        while not blast.ended:
            if not self._in:
                self._read()
            try:
                put, self._in = blast.feed(self._in)
            except StrayNewline:
                raise self._end(_STRAY_NEWLINE, 1) from None
            size += len(put)
            queue.failed |= 0 < limit < size
            queue.put(put)
        return 0 < limit < size

    def _received(self) -> bytes:
        env = os.environb
        host, ip = env.get(b"TCPREMOTEHOST", b"unknown"), env.get(b"TCPREMOTEIP", b"unknown")
        helo = b"" if self._helo is None or self._helo.lower() == host.lower() else b" (HELO %b)" % _safe(self._helo)
        info = b"%b@" % _safe(env[b"TCPREMOTEINFO"]) if b"TCPREMOTEINFO" in env else b""
        local = env.get(b"TCPLOCALHOST") or env.get(b"TCPLOCALIP", b"unknown")
        when = time.strftime("%d %b %Y %H:%M:%S -0000", time.gmtime()).lstrip("0").encode()
        return b"Received: from %b%b (%b%b)\n  by %b with SMTP; %b\n" % (
            _safe(host), helo, info, _safe(ip), _safe(local), when,
        )  # fmt: skip

    def _read_line(self) -> bytes:
        while b"\n" not in self._in:
            self._read()
        line, _, self._in = self._in.partition(b"\n")
        return line.removesuffix(b"\r")

    def _read(self) -> None:
        """More of the client; what was said is sent first."""
        self._flush()
        if not select.select([0], [], [], self._controls.timeout)[0]:
            raise self._end(_TIMEOUT, 1)
        try:
            data = os.read(0, 1024)
        except OSError:
            data = b""
        if not data:
            raise End(1)
        self._in += data

    def _flush(self) -> None:
        out, self._out = self._out, b""
        try:
            while out:
                out = out[os.write(1, out) :]
        except OSError:
            raise End(1) from None

    def _end(self, words: bytes, code: int) -> End:
        """What to raise, behind the last words."""
        self._out += words
        self._flush()
        return End(code)


def addrparse(argument: bytes) -> bytes | None:
    """The address of MAIL or RCPT as qmail-smtpd reads it; None: it is too long."""
    _, bracket, rest = argument.partition(b"<")
    terminator = 0x3E if bracket else 0x20
    if not bracket:
        rest = argument.partition(b":")[2].lstrip(b" ")
    if rest.startswith(b"@"):
        rest = rest.partition(b":")[2]
    address, escaped, quoted = bytearray(), False, False
    for byte in rest:
        if escaped:
            address.append(byte)
            escaped = False
        elif byte == terminator and not quoted:
            break
        elif byte == 0x5C:
            escaped = True
        elif byte == 0x22:
            quoted = not quoted
        else:
            address.append(byte)
    return bytes(address) if len(address) < ADDRESS_LIMIT else None


def _safe(words: bytes) -> bytes:
    return words.translate(_SAFE)


def main() -> int:
    """The program; its exit code."""
    try:
        try:
            controls = Controls(sys.argv[1])
        except (OSError, ValueError, End):
            os.write(1, _NO_CONTROL)
            return 1
        Smtpd(controls).serve()
    except End as end:
        return int(end.args[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
