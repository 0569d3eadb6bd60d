"""What we tell a checkpassword program, told to programs of each dialect, and what we take their ends for."""

from pathlib import Path

import pytest

from tests.support.checkpassword import PEER, end_of, stand_in
from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.checkpassword import Order, answer, probe_flaw, told
from ucspi_py.core.auth.credentials import Credentials

#: RFC 2195, 2.
CRAM = Credentials(
    b"CRAM-MD5",
    b"tim",
    b"b913a602c7eda7a495b4e6e7334d3890",
    b"<1896.697170952@postoffice.reston.mci.net>",
)
PLAIN = Credentials(b"PLAIN", b"tim", b"tanstaaftanstaaf")
NAMES = ("vchkpw", "cmd5checkpw")


@pytest.fixture
def checker(tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    """The command line of one that knows tim."""
    return [stand_in(tmp_path, request.param, {"tim": "tanstaaftanstaaf"}), "/bin/true"]


def asked(command: list[str], credentials: Credentials, order: Order = Order.RESPONSE_FIRST) -> Answer:
    """Its answer."""
    data = told(credentials, order)
    assert data is not None
    return answer(credentials.login, end_of(command, data).code)


@pytest.mark.parametrize("checker", NAMES, indirect=True)
@pytest.mark.parametrize("credentials", [PLAIN, CRAM], ids=["PLAIN", "CRAM-MD5"])
def test_who_knows_the_password_is_let_in(checker: list[str], credentials: Credentials) -> None:
    """By either mechanism."""
    assert asked(checker, credentials) == Answer(Verdict.YES, b"tim")


@pytest.mark.parametrize("checker", NAMES, indirect=True)
@pytest.mark.parametrize(
    "credentials",
    [
        PLAIN._replace(secret=b"wrong"),
        PLAIN._replace(login=b"nobody"),
        CRAM._replace(secret=b"0" * 32),
        CRAM._replace(challenge=b"<another@host>"),
        PLAIN._replace(login=b"t" * 200),
    ],
    ids=["password", "login", "response", "challenge", "long login"],
)
def test_who_does_not_is_refused_whatever_the_exit_code(checker: list[str], credentials: Credentials) -> None:
    """vchkpw's 3 and 13, cmd5checkpw's 1."""
    assert asked(checker, credentials).verdict is Verdict.NO


@pytest.mark.parametrize("checker", NAMES, indirect=True)
def test_in_the_wrong_order_nobody_is_let_in(checker: list[str]) -> None:
    """Nobody can tell by the exit code: the log has each refusal."""
    assert asked(checker, CRAM, Order.CHALLENGE_FIRST).verdict is Verdict.NO


@pytest.mark.parametrize("checker", ["vchkpw"], indirect=True)
def test_vchkpw_answers_a_challenge_on_ports_of_smtp(checker: list[str]) -> None:
    """So that it must be told ours."""
    data, command = told(CRAM) or b"", [checker[0], "env"]

    codes = [end_of(command, data, PEER._replace(local_port=port)).code for port in (b"587", b"465", b"25", b"2525")]

    assert codes == [0, 0, 0, 3]


@pytest.mark.parametrize("checker", NAMES, indirect=True)
def test_neither_says_yes_to_nonsense(checker: list[str]) -> None:
    """The probe of the start."""
    assert probe_flaw(checker[0], end_of(checker, b"nobody-x\0nothing\0\0").code) is None


@pytest.mark.parametrize("checker", ["cmd5checkpw"], indirect=True)
def test_a_checker_without_a_program_behind_it_keeps_the_server_from_starting(checker: list[str]) -> None:
    """It says that it was misused."""
    flaw = probe_flaw("cmd5checkpw", end_of(checker[:1], b"nobody-x\0nothing\0\0").code)

    assert flaw == "cmd5checkpw checks no passwords: the checkpassword program was misused (exit 2)"


def test_true_says_yes_to_nonsense() -> None:
    """By any other name, too."""
    assert probe_flaw("checker", end_of(["/bin/true", "/bin/true"], b"nobody-x\0nothing\0\0").code) == (
        "checker takes any password for right: everybody could relay"
    )
