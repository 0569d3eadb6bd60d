"""How checkpassword programs end, at a running gate: vchkpw's and cmd5checkpw's stand-ins, and the example's."""

import smtplib
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.checkpassword import stand_in
from tests.support.gate import Gate, gated
from tests.support.waiting import PATIENCE

JOE, PASSWORD = "joe@example.org", "s3cret"
EXAMPLE = Path(__file__).parents[2] / "examples/checkpassword.py"
NAMES = ("vchkpw", "cmd5checkpw")
#: CRAM-MD5 is offered by name only.
FILTER = "smtpd_sasl_mechanism_filter=cram-md5, plain, login"


@contextmanager
def checked(backend: Scripted, folder: Path, command: str, *parameters: str) -> Iterator[Gate]:
    """A gate that has passwords checked by a program."""
    folder.mkdir(exist_ok=True)
    enabled = ("smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=checkpassword", FILTER)
    asked = (*enabled, f"smtpd_sasl_path={command}", *parameters)
    with gated(backend.argv, folder / "gate", parameters=asked) as gate:
        yield gate


@pytest.fixture(scope="module")
def gates(backend: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gate]]:
    """One for each dialect, one that speaks the other one, and one with the example's program."""
    folder = tmp_path_factory.mktemp("checkpassword")
    programs = {name: stand_in(folder, name, {JOE: PASSWORD}) for name in NAMES}
    line = [str(EXAMPLE), "--line", JOE]
    made = subprocess.run(line, input=f"{PASSWORD}\n".encode(), stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    (folder / "users").write_bytes(made.stdout)
    order = "checkpassword_cram_order=challenge,response"
    asked = [(name, f"{program} /bin/true") for name, program in programs.items()]
    asked += [("example", f"{EXAMPLE} {folder}/users /bin/true")]
    with ExitStack() as running:
        started = {
            name: running.enter_context(checked(backend, folder / f"{name}-gate", *words)) for name, *words in asked
        }
        turned = checked(backend, folder / "turned", f"{programs['cmd5checkpw']} /bin/true", order)
        yield started | {"turned": running.enter_context(turned)}


def code(gate: Gate, mechanism: str, password: str = PASSWORD) -> int:
    """The code that smtplib gets for a login."""
    with smtplib.SMTP("127.0.0.1", gate.port, timeout=PATIENCE) as client:
        client.ehlo("client.example.net")
        assert set(client.esmtp_features["auth"].split()) == {"CRAM-MD5", "LOGIN", "PLAIN"}
        client.user, client.password = JOE, password
        try:
            return client.auth(mechanism, getattr(client, f"auth_{mechanism.lower().replace('-', '_')}"))[0]
        except smtplib.SMTPAuthenticationError as refused:
            return refused.smtp_code


def test_wrong_passwords_are_refused_whatever_the_exit_code(gates: dict[str, Gate]) -> None:
    """vchkpw's is 3; CRAM-MD5 is nothing for hashed passwords, nor where the challenge comes in the wrong place."""
    wrong = [(gates[name], mechanism, "wrong") for name in NAMES for mechanism in ("CRAM-MD5", "PLAIN")]
    wrong += [(gates[name], "CRAM-MD5", PASSWORD) for name in ("example", "turned")]
    with ThreadPoolExecutor(len(wrong)) as clients:
        assert set(clients.map(lambda one: code(*one), wrong)) == {535}


@pytest.mark.parametrize("name", ["example", "turned"])
def test_a_password_has_no_order(gates: dict[str, Gate], name: str) -> None:
    """The example has its hash."""
    assert [code(gates[name], "PLAIN"), code(gates[name], "LOGIN")] == [235, 235]


def test_a_program_that_fails_lets_nobody_in_and_refuses_nobody(backend: Scripted, tmp_path: Path) -> None:
    """The users of the example are gone: 111."""
    with checked(backend, tmp_path, f"{EXAMPLE} {tmp_path}/users /bin/true") as gate:
        assert code(gate, "PLAIN") == 454
        assert b"the checkpassword program exits 111" in gate.log()
