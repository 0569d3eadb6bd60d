"""The checkpassword interface (cr.yp.to/checkpwd/interface.html) and its dialects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.checkpassword import LIMIT, Order, answer, command_flaw, environment, probe_flaw, told
from ucspi_py.core.auth.credentials import Credentials, Peer

PLAIN = Credentials(b"PLAIN", b"joe", b"s3cret")
#: RFC 2195, 2.
CRAM = Credentials(
    b"CRAM-MD5",
    b"tim",
    b"b913a602c7eda7a495b4e6e7334d3890",
    b"<1896.697170952@postoffice.reston.mci.net>",
)


@pytest.mark.parametrize("order", Order)
def test_a_password_is_followed_by_an_empty_field_in_both_orders(order: Order) -> None:
    """djb's program and vchkpw take it for a timestamp, cmd5checkpw for no challenge."""
    assert told(PLAIN, order) == b"joe\0s3cret\0\0"


def test_the_response_comes_before_the_challenge() -> None:
    """cmd5checkpw 0.30, vchkpw."""
    assert told(CRAM) == b"tim\0" + CRAM.secret + b"\0" + CRAM.challenge + b"\0"


def test_or_the_challenge_before_the_response() -> None:
    """indimail, qmail-smtpd-auth 0.31."""
    assert told(CRAM, Order.CHALLENGE_FIRST) == b"tim\0" + CRAM.challenge + b"\0" + CRAM.secret + b"\0"


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(b"PLAIN", b"jo\0e", b"s3cret"),
        Credentials(b"PLAIN", b"joe", b"s3\0cret"),
        Credentials(b"PLAIN", b"joe\0", b"s3cret"),
        Credentials(b"PLAIN", b"", b"s3cret"),
        Credentials(b"PLAIN", b"joe", b""),
        CRAM._replace(challenge=b"<1\0>"),
    ],
    ids=repr,
)
def test_no_checker_is_asked_about_a_nul_or_nothing(credentials: Credentials) -> None:
    """A NUL would make two fields of one."""
    assert told(credentials) is None


def test_512_bytes_are_the_most() -> None:
    """The 513th is refused before a checker sees it."""
    longest = Credentials(b"PLAIN", b"u" * 255, b"p" * 254)

    assert len(told(longest) or b"") == LIMIT
    assert told(longest._replace(secret=b"p" * 255)) is None


@given(st.binary(), st.binary(), st.binary(), st.sampled_from(Order))
def test_a_checker_reads_three_fields(login: bytes, secret: bytes, challenge: bytes, order: Order) -> None:
    """Whatever the client sends: the login first, a NUL at the end, never more than three or 512 bytes."""
    data = told(Credentials(b"CRAM-MD5", login, secret, challenge), order)

    if data is not None:
        fields = bytes(data).split(b"\0")
        assert (fields[0], len(fields), fields[3], len(data) <= LIMIT) == (login, 4, b"", True)


def test_its_environment_has_nothing_of_the_client_but_its_address() -> None:
    """vchkpw wants the port."""
    assert environment(b"/bin", Peer(b"192.0.2.1", b"10.0.0.1", b"587", secured=True)) == {
        b"PATH": b"/bin",
        b"PROTO": b"TCP",
        b"TCPREMOTEIP": b"192.0.2.1",
        b"TCPLOCALIP": b"10.0.0.1",
        b"TCPLOCALPORT": b"587",
    }


def test_what_is_unknown_is_not_in_its_environment() -> None:
    """Rather than empty."""
    assert environment(b"/bin", Peer(b"", b"", b"", secured=False)) == {b"PATH": b"/bin", b"PROTO": b"TCP"}


def test_exit_0_is_a_yes() -> None:
    """It comes of the program behind the checker, /bin/true."""
    assert answer(b"joe", 0) == Answer(Verdict.YES, b"joe")


@pytest.mark.parametrize("code", [1, 3, *range(7, 16), *range(20, 24), 100, 255])
def test_any_other_exit_code_is_a_no_and_its_number_stands_in_the_log(code: int) -> None:
    """vchkpw has one for each reason."""
    assert answer(b"joe", code) == Answer(Verdict.NO, b"", f"the checkpassword program exits {code}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (2, "the checkpassword program was misused (exit 2)"),
        (111, "the checkpassword program exits 111"),
        (126, "the checkpassword program cannot be run (exit 126)"),
        (127, "the checkpassword program cannot be run (exit 127)"),
        (-11, "the checkpassword program was killed by signal 11"),
        (None, "the checkpassword program took too long"),
    ],
)
def test_what_could_not_tell_is_no_refusal(code: int | None, reason: str) -> None:
    """Nor a yes: cmd5checkpw 0.21 crashed on unknown users (CVE-2000-0990)."""
    assert answer(b"joe", code) == Answer(Verdict.LATER, b"", reason)


@given(st.integers(-64, 255) | st.none())
def test_only_exit_0_lets_in(code: int | None) -> None:
    """Fail closed."""
    assert (answer(b"joe", code).verdict is Verdict.YES) == (code == 0)


@pytest.mark.parametrize(
    "command", [["/bin/true"], ["true", "/bin/checkpassword"], ["/usr/bin/sh", "-c", "x"], ["cat"], ["/bin/false"]]
)
def test_a_program_that_checks_nothing_is_no_checker(command: list[str]) -> None:
    """One argument too few before it, as patches of qmail-smtpd want another one."""
    assert command_flaw(command) == f"{command[0]} checks no passwords: is the checkpassword program missing before it?"


def test_as_an_argument_it_is_right() -> None:
    """It is what a checker runs after a yes."""
    assert command_flaw(["/bin/checkpassword", "/bin/true"]) is None


def test_no_program_is_no_checker() -> None:
    """Nor is an empty one."""
    assert command_flaw([]) == "there is no checkpassword program"


def test_who_says_yes_to_nonsense_keeps_the_server_from_starting() -> None:
    """Whatever its name."""
    assert probe_flaw("vchkpw", 0) == "vchkpw takes any password for right: everybody could relay"


@pytest.mark.parametrize("code", [2, 126, 127, -11])
def test_who_cannot_work_keeps_the_server_from_starting(code: int) -> None:
    """Its command line is wrong, and waiting does not help."""
    flaw = probe_flaw("vchkpw", code)

    assert flaw is not None
    assert flaw.startswith("vchkpw checks no passwords: ")


@pytest.mark.parametrize("code", [1, 3, 20, 111, None])
def test_who_says_no_or_not_now_lets_the_server_start(code: int | None) -> None:
    """Its directory server may be away for a while."""
    assert probe_flaw("vchkpw", code) is None
