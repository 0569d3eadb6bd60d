"""A gate with milters before a backend that keeps its messages, with one user; whoever sends through it."""

import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..backends.known import Keeper, Message
from ..certificates import Authority
from ..checkpassword import stand_in
from ..gate import STRANGER, Gate, controls, gated
from ..nameserver import Records
from ..programs import theirs
from ..waiting import PATIENCE

USER, PASSWORD = "joe", "s3cret"
SENDER, OURS, FAR = "s@example.net", "r@example.org", "far@elsewhere.example"
#: What a name server has to know of strangers.
DNS: Records = {"7.2.0.192.in-addr.arpa PTR": ["c.example.net."], "c.example.net A": ["192.0.2.7"]}
#: Where a stranger by IPv6 comes from, and who the gate takes for whom.
BY_IPV6 = "127.0.0.3"
_RULES = f"""\
{STRANGER}:allow,TCPREMOTEIP="192.0.2.7"
{BY_IPV6}:allow,TCPREMOTEIP="2001:db8::7"
"""
#: swaks: the server has refused the message.
REFUSED = 26

_MAIN_CF = """\
smtpd_milters = {milters}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {pair.certificate}
smtpd_tls_key_file = {pair.key}
smtpd_tls_auth_only = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = checkpassword
smtpd_sasl_path = {checker} /bin/true
"""


class Around(NamedTuple):
    """What is around a gate. name_server: as $DNSCACHEIP has it, and knows DNS."""

    name_server: str
    authority: Authority


class Site(NamedTuple):
    """A running gate with its backend. trusting: what a client trusts."""

    gate: Gate
    backend: Keeper
    trusting: ssl.SSLContext

    @contextmanager
    def client(self, *, logged_in: bool = False, source: str = STRANGER) -> Iterator[smtplib.SMTP]:
        """A client of smtplib; one that is logged in is within TLS."""
        with smtplib.SMTP("127.0.0.1", self.gate.port, "client.example", PATIENCE, (source, 0)) as client:
            client.ehlo()
            if logged_in:
                client.starttls(context=self.trusting)
                client.login(USER, PASSWORD)
            yield client

    def sends(
        self, message: bytes, *, logged_in: bool = False, source: str = STRANGER
    ) -> tuple[int, str, list[Message]]:
        """Send a message to ourselves, or far away by one who is logged in -> the reply, and what came to be kept."""
        count = len(self.backend.messages())
        with self.client(logged_in=logged_in, source=source) as client:
            assert client.mail(SENDER)[0] == 250
            assert client.rcpt(FAR if logged_in else OURS)[0] == 250
            code, text = client.data(message)
        return code, text.decode(), self.backend.messages()[count:]

    def leaves(self, *, logged_in: bool = False) -> None:
        """Begin a message and leave it: the milter's connection may be the next client's."""
        with self.client(logged_in=logged_in) as client:
            assert client.mail("left@example.net")[0] == 250
            assert client.rcpt(FAR if logged_in else OURS)[0] == 250
            assert client.rset()[0] == 250

    def takes(self, message: bytes, *, logged_in: bool = False) -> bytes:
        """Send a message that passes -> its text as it is kept."""
        code, text, kept = self.sends(message, logged_in=logged_in)
        assert code == 250, text
        (one,) = kept
        return one.text

    def refuses(self, message: bytes) -> str:
        """Send a message that does not pass, and is kept nowhere -> the reply."""
        code, text, kept = self.sends(message)
        assert kept == []
        return f"{code} {text}"

    def swaks(self, *words: str, logged_in: bool = False) -> tuple[int, str, list[Message]]:
        """Send by swaks -> its exit code, what it says, and what came to be kept."""
        count = len(self.backend.messages())
        login = ("--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD) if logged_in else ()
        to = ("--server", f"127.0.0.1:{self.gate.port}", "--from", SENDER, "--to", FAR if logged_in else OURS)
        done = subprocess.run(
            (theirs("swaks"), *to, *login, *words), capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        return done.returncode, done.stdout, self.backend.messages()[count:]


@contextmanager
def site(
    made: Callable[[Path, Path], Keeper], around: Around, folder: Path, milters: Sequence[str], *more: str
) -> Iterator[Site]:
    """Run a gate with these milters. made: makes the backend. more: lines of main.cf."""
    control = controls(folder / "control")
    backend = made(folder / "backend", control)
    pair = around.authority.pair("mx.example.org")
    checker = stand_in(folder, "vchkpw", {USER: PASSWORD})
    main_cf = folder / "main.cf"
    text = _MAIN_CF.format(milters=", ".join(milters), pair=pair, checker=checker)
    main_cf.write_text("\n".join((text, *more, "")))
    trusting = ssl.create_default_context(cafile=around.authority.ca_file)
    trusting.check_hostname = False
    variables = {**backend.environment, "DNSCACHEIP": around.name_server}
    with gated(backend.argv, folder, control=control, file=main_cf, rules=_RULES, variables=variables) as gate:
        yield Site(gate, backend, trusting)


def lines(text: bytes) -> bytes:
    """A message as it is kept: LF ends its lines."""
    return text.replace(b"\r\n", b"\n")
