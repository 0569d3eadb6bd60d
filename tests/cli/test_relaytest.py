"""pyrelaytest: who may relay through a service, or a server over the network."""

import json
import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.backends.known import NotQmail, Scripted, program
from tests.support.certificates import Authority
from tests.support.gate import PATIENT, STRANGER, controls, gate_words, gated
from tests.support.programs import ours
from tests.support.rules_tools import compiled_by_ours
from tests.support.warm import Warm, standing

PROGRAMS = Warm("pyrelaytest")
_stands = standing(PROGRAMS)

RULES = b"""\
127.:allow,RELAYCLIENT=""
10.:allow,RELAYCLIENT="",DATABYTES="1000"
10.66.:deny
:allow
"""


class Told(NamedTuple):
    """What it says of a service. rows: those of --json."""

    code: int
    rows: list[dict[str, str]]
    errors: str

    @property
    def verdicts(self) -> Counter[tuple[str, str]]:
        """How many verdicts there are of each class."""
        return Counter((row["class"], row["verdict"]) for row in self.rows)

    def those(self, verdict: str) -> list[str]:
        """The recipients with a verdict."""
        return [row["recipient"] for row in self.rows if row["verdict"] == verdict]


def run(*words: str) -> Told:
    done = PROGRAMS.run("pyrelaytest", *words, "--json", cwd="/")
    return Told(done.returncode, json.loads(done.stdout or "[]"), done.stderr.decode())


def service(folder: Path, words: Sequence[str], rules: bytes = RULES, options: str = "-H -R -l 0") -> str:
    """A run script. words: of the program."""
    compiled_by_ours(rules, folder / "tcp.cdb")
    file = folder / "run"
    file.write_text(f"#!/bin/sh\nexec pytcpserver {options} -x tcp.cdb 0 25 {shlex.join(words)}\n")
    return str(file)


@pytest.fixture
def notqmail(tmp_path: Path) -> Sequence[str]:
    """A qmail-smtpd with control files of its own."""
    return program("notqmail", controls(tmp_path / "control"))


@pytest.fixture
def gate(tmp_path: Path) -> Sequence[str]:
    """pysmtpgate over the same files."""
    return gate_words(controls(tmp_path / "control"))


def test_a_gate_lets_the_right_ones_relay(gate: Sequence[str], notqmail: Sequence[str], tmp_path: Path) -> None:
    """Every class of clients that rules and mynetworks know; exit 0."""
    told = run("--from", service(tmp_path, (*gate, *notqmail)))

    assert told.errors == ""
    assert told.verdicts == {
        ("unknown (:)", "ok"): 20,
        ("RELAYCLIENT (127.)", "ok"): 2,
        ("RELAYCLIENT (10.)", "ok"): 2,
        ("mynetworks (:)", "ok"): 2,
    }
    assert told.rows[0]["recipient"] == "<postmaster@example.org>"
    assert told.code == 0


def test_a_table_for_people(gate: Sequence[str], notqmail: Sequence[str], tmp_path: Path) -> None:
    """The verdict first, the reply last."""
    file = service(tmp_path, (*gate, *notqmail))
    done = subprocess.run([ours("pyrelaytest"), "--from", file], capture_output=True, text=True, check=True)

    heading, first, second, *_ = done.stdout.splitlines()
    assert heading.split() == ["verdict", "client", "class", "probe", "sender", "recipient", "reply"]
    assert first.split()[:6] == ["ok", "192.0.2.77", "unknown", "(:)", "own", "<>"]
    assert second.endswith("  554 5.7.1 <relaytest@example.com>: Relay access denied")


def test_qmail_alone_is_no_open_relay(notqmail: Sequence[str], tmp_path: Path) -> None:
    """What it takes as mailboxes of its own is to be looked at, and no fault."""
    told = run("--from", service(tmp_path, notqmail), "--own", "joe@example.org")

    assert set(told.those("look")) == {
        *("<relaytest%example.com>", "<example.com!relaytest>", "<relaytest%example.com@example.org>"),
        *("<example.com!relaytest@example.org>", '<"relaytest@example.com"@example.org>'),
        "<relaytest@example.com@example.org>",
    }
    assert told.code == 0
    assert told.rows[0]["recipient"] == "<joe@example.org>"


@pytest.mark.parametrize(("percenthack", "verdict"), [(None, "ok"), ("example.org", "look")])
def test_what_qmail_sends_on(percenthack: str | None, verdict: str, notqmail: Sequence[str], tmp_path: Path) -> None:
    """Of its own domains what control/percenthack names, and nothing else (qmail-send(8))."""
    smtpd = tmp_path / "qmail-smtpd"
    smtpd.write_text(f"#!/bin/sh\nexec {shlex.join(notqmail)}\n")
    smtpd.chmod(0o755)
    control = controls(tmp_path / "control", percenthack=percenthack)
    words = gate_words(control, ["allow_untrusted_routing=yes"])
    told = run("--from", service(tmp_path, (*words, str(smtpd))))

    found = {row["recipient"]: row["verdict"] for row in told.rows}
    assert found["<relaytest%example.com@example.org>"] == verdict


def test_qmail_without_rcpthosts_is_an_open_relay(tmp_path: Path) -> None:
    """Found by its replies: 1."""
    backend = program("notqmail", controls(tmp_path / "control", rcpthosts=None))
    told = run("--from", service(tmp_path, backend), "--own", "joe@example.org")

    assert "<relaytest@example.com>" in told.those("RELAYS")
    assert "<@example.org:relaytest@example.com>" in told.those("RELAYS")
    assert told.code == 1


@pytest.mark.parametrize(
    ("rules", "parameter"),
    [(b':allow,RELAYCLIENT=""\n', "mynetworks="), (b":allow\n", "mynetworks=0.0.0.0/1, 128.0.0.0/1")],
    ids=["rule", "mynetworks"],
)
def test_whoever_lets_strangers_relay_has_an_open_relay(
    rules: bytes, parameter: str, notqmail: Sequence[str], tmp_path: Path
) -> None:
    """Whatever the rules say."""
    words = gate_words(tmp_path / "control", [parameter])
    told = run("--from", service(tmp_path, (*words, *notqmail), rules))

    assert ("unknown (:)", "RELAYS") in told.verdicts
    assert told.code == 1


def test_who_may_relay_and_is_refused(notqmail: Sequence[str], tmp_path: Path) -> None:
    """The backend knows no RELAYCLIENT, as behind a program that clears the environment: 1."""
    told = run("--from", service(tmp_path, ("env", "-i", *notqmail)), "--own", "joe@example.org")

    assert told.verdicts["RELAYCLIENT (127.)", "REFUSED"] == 1
    assert told.code == 1


def test_lists_decide(notqmail: Sequence[str], tmp_path: Path) -> None:
    """Of a main.cf without permit_mynetworks, which lets nobody relay."""
    controls(tmp_path / "control")
    (tmp_path / "main.cf").write_text(
        "compatibility_level = 3.6\nqmail_control = control\nmydestination = example.org\n"
        "local_recipient_maps =\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = reject_unauth_destination\n"
    )
    told = run("--from", service(tmp_path, (ours("pysmtpgate"), "-f", "main.cf", *notqmail)))

    assert told.verdicts["RELAYCLIENT (127.)", "REFUSED"] == 1
    assert told.verdicts["unknown (:)", "ok"] == 20
    assert told.code == 1


def test_no_message_is_sent(tmp_path: Path) -> None:
    """The backend of each client gets its environment, and never DATA."""
    backend = Scripted(tmp_path / "backend")
    told = run("--from", service(tmp_path, backend.argv, options="-h -R -l mx.example.org"), "--own", "j@example.org")

    visits = backend.visits()
    assert len(told.rows) > 20
    assert [visit.environment[b"TCPREMOTEIP"] for visit in visits] == [b"192.0.2.77", b"127.77.77.77", b"10.77.77.77"]
    assert [visit.environment.get(b"RELAYCLIENT") for visit in visits] == [None, b"", b""]
    assert visits[2].environment[b"DATABYTES"] == b"1000"
    assert visits[0].environment[b"TCPLOCALHOST"] == b"mx.example.org"
    for visit in visits:
        assert visit.lines[-1] == b"QUIT"
        assert visit.lines.count(b"RSET") == sum(line.startswith(b"RCPT") for line in visit.lines)
        assert b"DATA" not in visit.lines
        assert set(visit.descriptors) == {0, 1, 2}


class TestGrants:
    """A stranger with a grant, where the service asks a ledger; no ledger is asked and none is made."""

    def test_by_pyrelay_check(self, notqmail: Sequence[str], tmp_path: Path) -> None:
        words = (ours("pyrelay"), "check", "-s", "db", *notqmail)
        told = run("--from", service(tmp_path, words), "--own", "joe@example.org")

        assert told.verdicts["granted (:)", "ok"] == 2
        assert told.code == 0
        assert not (tmp_path / "db").exists()

    def test_by_the_gates_own_parameter(self, notqmail: Sequence[str], tmp_path: Path) -> None:
        """Lists that let nobody relay let nobody with a grant."""
        words = gate_words(controls(tmp_path / "control"), ["relay_store=db", "mydestination=example.org"])
        lists = ("-o", "smtpd_relay_restrictions=reject_unauth_destination", "-o", "local_recipient_maps=")
        assert run("--from", service(tmp_path, (*words, *notqmail))).verdicts["granted (:)", "ok"] == 2

        told = run("--from", service(tmp_path, (*words, *lists, *notqmail)))
        assert told.verdicts["granted (:)", "REFUSED"] == 1
        assert told.code == 1

    @pytest.mark.parametrize("rules", [b':allow,RELAY="never"\n', b":deny\n"])
    def test_where_no_grant_counts(self, rules: bytes, notqmail: Sequence[str], tmp_path: Path) -> None:
        """Nobody is tried with one."""
        words = (ours("pyrelay"), "check", "-s", "db", *notqmail)
        told = run("--from", service(tmp_path, words, rules), "--own", "joe@example.org")

        assert {row["class"] for row in told.rows} <= {"unknown (:)", "denied (:)"}
        assert told.code == 0

    def test_its_program_is_told(self, tmp_path: Path) -> None:
        backend = Scripted(tmp_path / "backend")
        words = (ours("pyrelay"), "check", "-s", "db", *backend.argv)
        run("--from", service(tmp_path, words, b":allow\n"), "--own", "joe@example.org")

        stranger, client = (visit.environment for visit in backend.visits())
        assert b"RELAYCLIENT" not in stranger
        assert (client[b"RELAYCLIENT"], client[b"RELAYUSER"], client[b"RBLSMTPD"]) == (b"", b"relaytest", b"")


def test_limits_and_delays_of_the_gate_are_no_obstacle(notqmail: Sequence[str], tmp_path: Path) -> None:
    """What counts or delays clients decides nothing."""
    controls(tmp_path / "control")
    limits = ["smtpd_hard_error_limit=2", "smtpd_soft_error_limit=1", "smtpd_error_sleep_time=5"]
    limits += ["smtpd_junk_command_limit=1", "smtpd_client_connection_rate_limit=1"]
    told = run("--from", service(tmp_path, (*gate_words(tmp_path / "control", limits), *notqmail)))

    assert set(told.verdicts) >= {("unknown (:)", "ok")}
    assert told.code == 0


def test_a_program_that_hangs_up_is_started_again(tmp_path: Path) -> None:
    """After each recipient; everything is asked nevertheless."""
    script = tmp_path / "smtpd"
    script.write_text(
        "#!/bin/sh\necho 220 x\n"
        'while read -r verb rest; do case $verb in RSET*) echo 421 bye; exit;; RCPT) echo "554 no";; *) echo 250 ok;; '
        "esac; done\n"
    )
    script.chmod(0o755)
    told = run("--from", service(tmp_path, (str(script),), b":allow\n"))

    assert Counter(row["reply"] for row in told.rows) == {"554 no": 13}
    assert "no domain of its own is known" in told.errors
    assert told.code == 0


def test_a_program_that_says_nothing_tells_nothing(tmp_path: Path) -> None:
    """111, not 0."""
    told = run("--from", service(tmp_path, ("true",), b":allow\n"))

    assert {row["reply"] for row in told.rows} == {"no reply"}
    assert told.code == 111


def test_whom_a_rule_denies_relays_nothing(notqmail: Sequence[str], tmp_path: Path) -> None:
    told = run("--from", service(tmp_path, notqmail, b":deny\n"), "--own", "joe@example.org")

    assert told.verdicts == {("denied (:)", "ok"): 1}
    assert told.code == 0


def test_on_a_port_of_submission_strangers_may_be_refused(tmp_path: Path) -> None:
    """RFC 6409, 4.3."""
    script = tmp_path / "smtpd"
    script.write_text(
        '#!/bin/sh\necho 220 x\nwhile read -r verb rest; do case $verb in MAIL) echo "530 no";; *) '
        "echo 250 ok;; esac; done\n"
    )
    script.chmod(0o755)
    file = service(tmp_path, (str(script),), b":allow\n")
    assert run("--from", file, "--own", "joe@example.org").code == 1

    Path(file).write_text(Path(file).read_text().replace(" 0 25 ", " 0 587 "))
    assert run("--from", file, "--own", "joe@example.org").code == 0


class TestWithinTls:
    """A gate with TLS: what it offers is begun."""

    @pytest.fixture
    def words(self, tmp_path: Path) -> Sequence[str]:
        """A gate with keys."""
        pair = Authority(tmp_path).pair("mx.example.org")
        parameters = [f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}"]
        return gate_words(controls(tmp_path / "control"), parameters)

    @pytest.mark.parametrize("parameter", ["smtpd_tls_security_level=encrypt", "smtpd_tls_wrappermode=yes"])
    def test_whoever_begins_it_is_asked_about(self, parameter: str, words: Sequence[str], tmp_path: Path) -> None:
        backend = Scripted(tmp_path / "backend")
        told = run("--from", service(tmp_path, (*words, "-o", parameter, *backend.argv), b":allow\n"))

        assert told.errors == ""
        assert told.verdicts["unknown (:)", "ok"] == 20
        assert {visit.environment[b"SSL_PROTOCOL"] for visit in backend.visits()} == {b"TLSv1.3"}

    def test_by_the_server(self, tmp_path: Path) -> None:
        """pytcpserver --tls before a gate."""
        pair = Authority(tmp_path).pair("mx.example.org")
        backend = Scripted(tmp_path / "backend")
        words = (*gate_words(controls(tmp_path / "control")), *backend.argv)
        file = service(tmp_path, words, options=f"--tls {pair.certificate}:{pair.key} -H -R -l 0")

        assert run("--from", file).code == 0
        assert b"SSL_PROTOCOL" in backend.last().environment

    def test_keys_that_we_may_not_read(self, words: Sequence[str], tmp_path: Path, notqmail: Sequence[str]) -> None:
        """Nothing is tried within TLS, and that is said."""
        (tmp_path / "mx.example.org-ECDSA.key").unlink()
        told = run("--from", service(tmp_path, (*words, "-o", "smtpd_tls_security_level=may", *notqmail)))

        assert told.errors.endswith(": nothing is tried within TLS\n")
        assert told.code == 0

    @pytest.mark.parametrize("level", ["may", "encrypt"])
    def test_over_the_network(self, level: str, words: Sequence[str], tmp_path: Path) -> None:
        backend = Scripted(tmp_path / "backend")
        parameters = [*words[2::2], f"smtpd_tls_security_level={level}", *PATIENT]
        with gated(backend.argv, tmp_path, rules=":allow\n", parameters=["mynetworks=", *parameters]) as mx:
            told = run(f"127.0.0.1:{mx.port}", "--own", "joe@example.org")

        assert told.verdicts == {("unknown", "ok"): 20}
        assert b"SSL_PROTOCOL" in backend.last().environment


class TestLogins:
    """Somebody who has logged in; whoever checks passwords is not asked."""

    SASL = ("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=dovecot", "smtpd_sasl_path=/nowhere/auth")

    @pytest.fixture
    def words(self, tmp_path: Path) -> Sequence[str]:
        """A gate with TLS and logins."""
        pair = Authority(tmp_path).pair("mx.example.org")
        keys = (f"smtpd_tls_cert_file={pair.certificate}", f"smtpd_tls_key_file={pair.key}")
        return gate_words(controls(tmp_path / "control"), [*keys, "smtpd_tls_security_level=may", *self.SASL])

    def test_whoever_has_logged_in_relays(self, words: Sequence[str], tmp_path: Path) -> None:
        backend = Scripted(tmp_path / "backend")
        told = run("--from", service(tmp_path, (*words, *backend.argv), b":allow\n"), "--login", "joe")

        assert told.errors == ""
        assert told.verdicts["logged in (:)", "ok"] == 2
        assert told.verdicts["unknown (:)", "ok"] == 20
        assert told.code == 0
        environments = [visit.environment for visit in backend.visits()]
        assert [one.get(b"SMTPAUTHUSER") for one in environments] == [None, b"joe", None]

    def test_all_classes_of_one_service(self, words: Sequence[str], tmp_path: Path) -> None:
        """Unknown, RELAYCLIENT, granted and logged in, by one run; each client is one that its service knows so."""
        backend = Scripted(tmp_path / "backend")
        chain = (*words, "-o", "relay_store=db", *backend.argv)
        told = run("--from", service(tmp_path, chain, b'192.0.2.9:allow,RELAYCLIENT=""\n:allow\n'), "--login", "joe")

        assert told.verdicts == {
            ("unknown (:)", "ok"): 20,
            ("RELAYCLIENT (192.0.2.9)", "ok"): 2,
            ("granted (:)", "ok"): 2,
            ("logged in (:)", "ok"): 2,
            ("mynetworks (:)", "ok"): 2,
        }
        assert (told.code, told.errors) == (0, "")
        names = (b"TCPREMOTEIP", b"RELAYCLIENT", b"RELAYUSER", b"SMTPAUTHUSER")
        known = {tuple(visit.environment.get(name) for name in names) for visit in backend.visits()}
        assert {one[1:] for one in known} >= {
            (None, None, None),
            (b"", None, None),
            (b"", b"relaytest", None),
            (b"", None, b"joe"),
        }
        assert (b"192.0.2.9", b"", None, None) in known

    def test_lists_that_let_no_login_relay(self, words: Sequence[str], notqmail: Sequence[str], tmp_path: Path) -> None:
        lists = ["mydestination=example.org", "local_recipient_maps="]
        lists += ["smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination"]
        options = (word for parameter in lists for word in ("-o", parameter))
        told = run("--from", service(tmp_path, (*words, *options, *notqmail)))

        assert told.verdicts["logged in (:)", "REFUSED"] == 1
        assert told.code == 1

    def test_a_user_sends_under_its_own_addresses(
        self, words: Sequence[str], notqmail: Sequence[str], tmp_path: Path
    ) -> None:
        """As the table of senders says."""
        lists = ["mydestination=example.org", "local_recipient_maps=", "smtpd_sender_login_maps=static:joe"]
        lists += ["smtpd_sender_restrictions=reject_sender_login_mismatch"]
        lists += ["smtpd_relay_restrictions=permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"]
        options = [word for parameter in lists for word in ("-o", parameter)]
        file = service(tmp_path, (*words, *options, *notqmail), b":allow\n")

        assert run("--from", file, "--login", "joe").verdicts["logged in (:)", "ok"] == 2
        assert run("--from", file, "--login", "ann").verdicts["logged in (:)", "REFUSED"] == 2

    def test_nobody_who_cannot_read_the_keys_is_told_of_logins(
        self, words: Sequence[str], notqmail: Sequence[str], tmp_path: Path
    ) -> None:
        (tmp_path / "mx.example.org-ECDSA.key").unlink()
        told = run("--from", service(tmp_path, (*words, *notqmail)))

        assert not any(row["class"].startswith("logged in") for row in told.rows)
        assert "nothing is tried within TLS" in told.errors


class TestOverTheNetwork:
    """A server, asked from our own address."""

    def test_as_a_stranger(self, tmp_path: Path) -> None:
        backend = NotQmail(tmp_path / "queue", controls(tmp_path / "control"))
        rules = f"{STRANGER}:allow\n:deny\n"
        parameters = ("mynetworks=", *PATIENT)
        with gated(backend.argv, tmp_path, control=tmp_path / "control", rules=rules, parameters=parameters) as mx:
            told = run(f"127.0.0.1:{mx.port}", "--own", "joe@example.org")
            trusted = run(f"127.0.0.1:{mx.port}", "--own", "joe@example.org", "--trusted")

        assert told.verdicts == {("unknown", "ok"): 20}
        assert told.code == 0
        assert [row["verdict"] for row in trusted.rows] == ["ok", "REFUSED"]
        assert trusted.code == 1
        assert backend.messages() == []

    def test_as_a_client_that_may_relay(self, tmp_path: Path) -> None:
        backend = NotQmail(tmp_path / "queue", controls(tmp_path / "control"))
        rules = ':allow,RELAYCLIENT=""\n'
        with gated(backend.argv, tmp_path, control=tmp_path / "control", rules=rules, parameters=PATIENT) as mx:
            assert run(f"127.0.0.1:{mx.port}", "--own", "joe@example.org", "--trusted").code == 0
            assert run(f"127.0.0.1:{mx.port}", "--own", "joe@example.org").code == 1

    def test_that_is_not_there(self) -> None:
        told = run("127.0.0.1:1")
        assert told.errors == "relaytest: fatal: unable to connect to 127.0.0.1: connection refused\n"
        assert told.code == 111


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "run", "127.0.0.1:25"),
        ("--from", "run", "--trusted"),
        ("127.0.0.1:25", "--login", "joe"),
        ("127.0.0.1",),
        (":25",),
        ("127.0.0.1:25", "--own", "joe"),
        ("127.0.0.1:25", "--own", "joe@example.org>\r\nDATA"),
        ("127.0.0.1:25", "--elsewhere", "@a:joe@example.org"),
    ],
    ids=str,
)
def test_what_is_asked_wrongly(words: Sequence[str]) -> None:
    told = run(*words)
    assert told.code == 100
    assert "relaytest: usage: " in told.errors


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    told = run("--from", service(tmp_path, (os.fspath(tmp_path / "gone"),)))
    assert told.errors.endswith(f"relaytest: fatal: unable to run {tmp_path}/gone\n")
    assert told.code == 111
