"""Rules for servers under test, and by chance; what tcprules and tcprulescheck, theirs and ours, make of them."""

import math
import os
import random
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from ucspi_py.cli.tcprulescheck import told
from ucspi_py.core.errors import CorruptRules, Failure
from ucspi_py.core.rules.match import match
from ucspi_py.core.rules.source import compiled
from ucspi_py.system.rules.live import Get, RulesFile, unreadable
from ucspi_py.system.rules.write import write

from .programs import theirs
from .waiting import PATIENCE

#: The only IPv4 address whose hash is 0, and one that wants the same slot.
HASH_0_PAIR = b"39.160.226.88:deny\n10.12.178.7:allow\n"

_BYTES = [bytes([byte]) for byte in range(256)]
_VALUES = [b"", b"", b"1", b"-listed, see http://bl.example/?ip=%n", b"a b", b"\xe9", b"\0", b"a\0D", b"=", b",", b":"]
_BLANKS = [b"", b"", b"", b" ", b"\t ", b"\r", b"#", b"\0"]
_SEPARATOR = b"-- "
#: A search without end is killed; the shell itself needs a tenth of that for thousands of questions.
_LIMIT = b"ulimit -t 5\n"


class Outcome(NamedTuple):
    """How a program ended, and what it said."""

    code: int
    out: bytes
    error: bytes


class Client(NamedTuple):
    """A client as tcprulescheck is told of it; None where a variable is unset."""

    ip: bytes | None
    host: bytes | None = None
    info: bytes | None = None

    def environ(self) -> dict[bytes, bytes]:
        """The variables of the client, and nothing else."""
        variables = {b"TCPREMOTEIP": self.ip, b"TCPREMOTEHOST": self.host, b"TCPREMOTEINFO": self.info}
        return {name: value for name, value in variables.items() if value is not None}


def cdb_of(text: str, folder: Path) -> str:
    """The path of these rules, compiled in a folder."""
    cdb = folder / "rules.cdb"
    subprocess.run([theirs("tcprules"), cdb, folder / "tmp"], input=text.encode(), check=True)
    return str(cdb)


def run(argv: Sequence[str], folder: Path, data: bytes = b"", client: Client | None = None) -> Outcome:
    """Run a program in a folder to its end."""
    done = subprocess.run(
        argv,
        input=data,
        capture_output=True,
        cwd=folder,
        env=None if client is None else {b"PATH": os.environb[b"PATH"], **client.environ()},
        timeout=PATIENCE,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def compile_here(source: bytes, cdb: Path, temporary: Path) -> Outcome:
    """What pytcprules does with its input, in this process."""
    try:
        write(str(cdb), str(temporary), compiled(source))
    except Failure as failure:
        return Outcome(
            failure.exit_code, b"", f"tcprules: fatal: {failure.sentence}\n".encode(errors="surrogateescape")
        )
    return Outcome(0, b"", b"")


def check_here(cdb: Path, client: Client) -> Outcome:
    """What pytcprulescheck answers, in this process."""
    try:
        return Outcome(0, answer(RulesFile(str(cdb)).current(), client), b"")
    except CorruptRules as corrupt:
        failure = unreadable(str(cdb), corrupt)
    except Failure as other:
        failure = other
    return Outcome(failure.exit_code, b"", failure.sentence.encode())


def answer(get: Get, client: Client) -> bytes:
    """What pytcprulescheck prints; get: the look-up of its rules."""
    return told(match(get, b"0.0.0.0" if client.ip is None else client.ip, client.host, client.info))


def check_all(program: str, questions: Iterable[tuple[Path, Client]]) -> list[Outcome]:
    """The answers of tcprulescheck to many questions, by a shell for each CPU, each within seconds of work.

    The outcomes hold no error texts. A shell has the limit of its programs, and no process between itself and them.
    """
    script = []
    for cdb, client in questions:
        variables = b" ".join(name + b"=" + _quoted(value) for name, value in client.environ().items())
        call = b" ".join((variables, _quoted(os.fsencode(program)), _quoted(bytes(cdb))))
        script.append(b"%b; echo '%b'$?\n" % (call, _SEPARATOR))
    size = math.ceil(len(script) / (os.cpu_count() or 1))
    with ExitStack() as stack:
        parts = [b"".join((_LIMIT, *script[start : start + size])) for start in range(0, len(script), size)]
        outputs = [stack.enter_context(_shell(part)) for part in parts]
        return [outcome for output in outputs for outcome in _outcomes(output())]


@contextmanager
def _shell(script: bytes) -> Iterator[Callable[[], bytes]]:
    """A shell that carries out a script; what it says up to its end."""
    with TemporaryFile() as told, TemporaryFile() as said:
        told.write(script)
        told.seek(0)
        with subprocess.Popen(["env", "-i", "sh"], stdin=told, stdout=said, stderr=subprocess.DEVNULL) as shell:

            def output() -> bytes:
                assert shell.wait() == 0
                said.seek(0)
                return said.read()

            yield output


def _outcomes(said: bytes) -> list[Outcome]:
    outcomes = []
    out = b""
    for line in said.splitlines(keepends=True):
        if line.startswith(_SEPARATOR):
            outcomes.append(Outcome(int(line[len(_SEPARATOR) :]), out, b""))
            out = b""
        else:
            out += line
    return outcomes


def random_source(chance: random.Random) -> bytes:
    """A rules file of up to 30 lines, about half of them with a line that tcprules refuses."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(200)).replace(b"/", b":deny\n")
    rare = chance.choice([0.0, 0.05])
    lines = [_line(chance, rare) for _ in range(chance.randrange(30))]
    if chance.random() < 0.1:
        lines.insert(0, HASH_0_PAIR)
    if chance.random() < 0.3:
        lines += chance.choices(lines or [b""], k=3)
    return b"\n".join(lines) + chance.choice([b"", b"\n"])


def random_client(chance: random.Random, keys: Sequence[bytes]) -> Client:
    """A client that one of these keys of rules may well be about."""
    key = chance.choice(keys) if keys and chance.random() < 0.8 else _address(chance)
    info, at, rest = key.rpartition(b"@")
    host = None
    if rest.startswith(b"="):
        host = chance.choice([b"", b"mail", b"mail.example"]) + rest[1:]
        rest = _ip(chance)
    ip = chance.choice([rest, rest + b"7", rest + b".7", rest + b"7.9", _ip(chance), None])
    if chance.random() < 0.3:
        host = chance.choice([b"", b".", b"mail.example.org", b"Mail.Example.Org"])
    client = Client(ip, host, info if at else chance.choice([None, None, None, b"", b"joe"]))
    return Client(*(value and value.replace(b"\0", b"") for value in client))


def _line(chance: random.Random, rare: float) -> bytes:
    draw = chance.random()
    if draw < 0.05:
        return b"#" + chance.randbytes(5).replace(b"\n", b"") + b":deny"
    if draw < 0.1:
        return chance.choice([b"", b" \t", b"no rule here", b" # no comment, and a rule of its own:deny"])
    if chance.random() < rare:
        return _refused(chance)
    variables = b"".join(_variable(chance) for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 5])))
    return _address(chance) + b":" + chance.choice([b"allow", b"deny"]) + variables + chance.choice([b"", b"", b" \t"])


def _refused(chance: random.Random) -> bytes:
    rest = chance.choice(
        [b"", b"Deny", b"denyx", b" deny", b"allow,", b"allow,X", b"allow,X=", b'deny,X="a', b"deny,,"]
    )
    address = chance.choice([_address(chance), b"2001:db8::1", b"my-host.example", b"1.2.3. 4-5"])
    return address + b":" + rest + chance.choice(_BLANKS)


def _variable(chance: random.Random) -> bytes:
    quote = chance.choice([b'"', b'"', b"'", chance.choice(_BYTES)])
    name = chance.choice([b"RELAYCLIENT", b"RBLSMTPD", b"A", b" A", b"", b"a\0b"])
    value = chance.choice([*_VALUES, chance.randbytes(4)]).replace(quote, b"")
    variable = b"," + name + b"=" + quote + value + quote
    return variable.replace(b"\n", b"") if quote not in b"\n \t" else b""


def _address(chance: random.Random) -> bytes:
    octets = [b"%d" % chance.choice([0, 1, 9, 127, 255, chance.randrange(256)]) for _ in range(4)]
    draw = chance.random()
    if draw < 0.3:
        return b".".join(octets)
    if draw < 0.5:
        return b"".join(octet + b"." for octet in octets[: chance.randrange(1, 4)])
    if draw < 0.8:
        return _range(chance, octets)
    info = chance.choice([b"joe", b"", b"a-b", b"\xff"])
    host = chance.choice([b"mail.example.org", b".example.org", b".org", b"", b".", b"a-b.example", b"Mail"])
    odd = [b"", b"10.0.0.1/8", b" 1.2.3.4", b"1.2.3.4 ", b"999.1.1.1", b"host", b"a\0b", chance.randbytes(3)]
    return chance.choice(
        [
            b"=" + host,
            info + b"@" + b".".join(octets),
            info + b"@=" + host,
            chance.choice(odd).translate(None, b":\n-#"),
        ]
    )


def _range(chance: random.Random, octets: list[bytes]) -> bytes:
    bottom = chance.choice([0, 1, 250, 255, 256, 300, 1 << 64, (1 << 64) - 1, chance.randrange(256)])
    low, high = b"%d" % bottom, b"%d" % (bottom + chance.choice([0, 1, 5, -1, 1 << 64]))
    low = chance.choice([low, low, b"", b"0" + low, b"1\0x"])
    high = chance.choice([high, high, b"", b"99999999999999999999999", high + b"-9", high + b"\0"])
    octets[chance.randrange(4)] = low + b"-" + high.removeprefix(b"-")
    return b".".join(octets[: chance.randrange(1, 5)]) + chance.choice([b"", b"."])


def _ip(chance: random.Random) -> bytes:
    return b".".join(b"%d" % chance.randrange(256) for _ in range(4))


def _quoted(text: bytes) -> bytes:
    return b"'" + text.replace(b"'", b"'\\''") + b"'"
