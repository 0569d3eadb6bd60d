"""Roaming users as the qmail guide has them: who has read mail relays for a while, from there and nowhere else."""

import os
import smtplib
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support import pop3
from tests.support.backends.known import NotQmail
from tests.support.certificates import Authority
from tests.support.gate import Gate, controls, gated
from tests.support.programs import need_root, ours
from tests.support.recorder import USER, Recorder, grants
from tests.support.redisserver import RedisServer
from tests.support.rules import cdb_of
from tests.support.saslauthd import Saslauthd
from tests.support.server import QUIET, Server
from tests.support.tls import shake_hands, trusting
from tests.support.waiting import PATIENCE, until

ROAMING, STRANGER = "127.0.0.7", "127.0.0.8"
REFUSED = b"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"


class House(NamedTuple):
    """A mail server: its POP3, its recorder, and the SMTP servers of each of its hosts."""

    pop3: Server
    recorder: Recorder
    smtp: Sequence[Server]


@contextmanager
def house(folder: Path, *allow: str, store: str | None = None, hosts: int = 1) -> Iterator[House]:
    """A running one. allow: options of pyrelay allow."""
    recorder = Recorder("--private", store=store)
    with ExitStack() as stack:
        mail = stack.enter_context(pop3.serving(recorder, folder, *allow))
        recorder.options += ["--ports", str(mail.port)]
        stack.enter_context(recorder)
        smtp = [stack.enter_context(_smtp(folder / str(number), recorder.store)) for number in range(hosts)]
        yield House(mail, recorder, smtp)


def _smtp(folder: Path, store: str) -> Server:
    """The guide's: rules, and a qmail-smtpd that nobody has patched."""
    folder.mkdir()
    qmail = NotQmail(folder, controls(folder / "control"))
    check = (ours("pyrelay"), "check", "-s", store)
    words = ("-x", cdb_of(":allow\n", folder), *QUIET)
    return Server(ours("pytcpserver"), words, (*check, *qmail.argv), folder, env={**os.environ, **qmail.environment})


def made_key(folder: Path) -> Path:
    """A key that server and recorder share."""
    key = folder / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o400)
    return key


def relays(server: Server, source: str) -> bool:
    """Whether a client may send to anybody."""
    return recipient(server, source) == b"250 ok"


def recipient(server: Server, source: str) -> bytes:
    """What a foreign recipient is answered."""
    told = server.talk(b"HELO c\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<friend@example.net>\r\nQUIT\r\n", source)
    return told.splitlines()[3]


def test_who_has_read_mail_relays_for_a_while(tmp_path: Path) -> None:
    """Unknown: refused; after a login by POP3: relays, and nobody else; expired to the second: refused again."""
    need_root()
    with house(tmp_path, "-t", "2") as all_of:
        (smtp,) = all_of.smtp
        assert recipient(smtp, ROAMING) == REFUSED
        assert pop3.read_mail(all_of.pop3, ROAMING, "guessed") == [b"+OK", b"-ERR authorization failed"]
        assert recipient(smtp, ROAMING) == REFUSED

        said = pop3.read_mail(all_of.pop3, ROAMING)
        assert said == [b"+OK", b"+OK joe as %d" % USER, b"+OK 0 0", b"+OK bye"]
        (grant,) = grants(all_of.recorder.store, ROAMING)
        assert (grant.user, grant.by) == (b"joe", b"%d@%s" % (USER, os.uname().nodename.encode()))
        assert relays(smtp, ROAMING)
        assert not relays(smtp, STRANGER)

        asked = [0.0]

        def is_over() -> bool:
            asked.append(time.time())
            return not relays(smtp, ROAMING)

        until(is_over, "the end of the grant")
        assert asked[-2] < grant.expires <= time.time()
        assert all_of.pop3.log() == b""


def test_two_hosts_with_one_ledger(tmp_path: Path) -> None:
    """On each the client relays that has read mail on one of them; what is revoked is revoked on both."""
    need_root()
    with RedisServer(tmp_path) as redis, house(tmp_path, store=redis.url, hosts=2) as all_of:
        assert [relays(host, ROAMING) for host in all_of.smtp] == [False, False]
        pop3.read_mail(all_of.pop3, ROAMING)
        assert [relays(host, ROAMING) for host in all_of.smtp] == [True, True]
        assert [relays(host, STRANGER) for host in all_of.smtp] == [False, False]

        subprocess.run([ours("pyrelay"), "revoke", "-s", redis.url, ROAMING], check=True, capture_output=True)
        assert [relays(host, ROAMING) for host in all_of.smtp] == [False, False]

        pop3.read_mail(all_of.pop3, ROAMING)
        redis.kill()
        assert [recipient(host, ROAMING) for host in all_of.smtp] == [REFUSED, REFUSED]
        assert pop3.read_mail(all_of.pop3, ROAMING)[-1] == b"+OK bye"
        assert b"login not recorded: the ledger cannot be used" in all_of.pop3.log()


def test_behind_tls_a_ticket_stands_in_for_the_socket(tmp_path: Path) -> None:
    """Descriptor 0 is a socketpair: the server's word counts, which the user cannot write."""
    need_root()
    authority = Authority(tmp_path)
    pair = authority.pair("mx.example.org")
    key = made_key(tmp_path)
    recorder = Recorder("--private", "--key", str(key))
    options = ("--tls", f"{pair.certificate}:{pair.key}", "--relay-key", str(key))
    with pop3.serving(recorder, tmp_path, options=options) as mail:
        recorder.options += ["--ports", str(mail.port)]
        trust = trusting(authority.ca_file)
        with recorder, shake_hands(trust, mail.connect(ROAMING), "mx.example.org") as client:
            assert pop3.session(client, pop3.PASSWORD)[-1] == b"+OK bye"
            (grant,) = grants(recorder.store, ROAMING)
            assert (grant.user, grant.by.partition(b"@")[0]) == (b"joe", b"%d" % USER)
            assert mail.log() == b""


def test_without_a_ticket_who_has_no_socket_proves_nothing(tmp_path: Path) -> None:
    """Nor does one that its user has written; mail is read all the same."""
    need_root()
    recorder = Recorder("--private", "--key", str(made_key(tmp_path)))
    pumped = ("sh", "-c", 'RELAYTICKET="127.0.0.7 $TCPLOCALPORT 1 0"; export RELAYTICKET; cat | "$@" | cat', "sh")
    with Server(ours("pytcpserver"), QUIET, (*pumped, *pop3.login_chain(recorder)), tmp_path) as mail:
        recorder.options += ["--ports", str(mail.port)]
        with recorder:
            assert pop3.read_mail(mail, ROAMING)[-1] == b"+OK bye"
            assert grants(recorder.store, ROAMING) == []
            assert b"ticket" in mail.log()


def test_who_logs_in_by_auth_relays_in_its_session(tmp_path: Path) -> None:
    """The same with AUTH instead: unknown and refused, then through an unpatched qmail-smtpd, then refused."""
    control = controls(tmp_path / "control")
    qmail = NotQmail(tmp_path / "qmail", control)
    pair = Authority(tmp_path).pair("mx.example.org")
    keys = (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}")
    with Saslauthd({"joe": "his password"}) as saslauthd:
        sasl = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=saslauthd", f"smtpd_sasl_path={saslauthd.path}")
        parameters = ("smtpd_tls_security_level=may", *keys, *sasl)
        with gated(qmail.argv, tmp_path, parameters=parameters, control=control, variables=qmail.environment) as gate:
            assert _sent(gate, "") == {"friend@example.net": 554}
            assert _sent(gate, "his password") == {}
            assert _sent(gate, "") == {"friend@example.net": 554}
    (message,) = qmail.messages()
    assert message.recipients == (b"friend@example.net",)


def _sent(gate: Gate, password: str) -> dict[str, int]:
    """Send a message elsewhere within TLS; the recipients that are refused, and the codes. password: "" = no login."""
    with smtplib.SMTP("127.0.0.1", gate.port, timeout=PATIENCE) as client:
        client.starttls()
        if password:
            client.login("joe", password)
        try:
            client.sendmail("joe@example.org", ["friend@example.net"], "Subject: hello\r\n\r\nfrom afar\r\n")
        except smtplib.SMTPRecipientsRefused as refused:
            return {recipient: code for recipient, (code, _) in refused.recipients.items()}
    return {}
