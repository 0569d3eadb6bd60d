"""Dovecot's authentication protocol, the client's side."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.answer import Answer, Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.auth.dovecot import LINE_LIMIT, DovecotClient, NotDovecot

PEER = Peer(b"192.0.2.1", b"10.0.0.1", b"587", secured=True)
PLAIN = Credentials(b"PLAIN", b"joe", b"s3cret")
LOGIN = PLAIN._replace(mechanism=b"LOGIN")
GREETING = (
    b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\n"
    b"SPID\t21315\nCUID\t5\nCOOKIE\t5088c71ef359a9ab34d828c0c72ec46d\nDONE\n"
)


def greeted() -> DovecotClient:
    """A client that may ask."""
    client = DovecotClient(7, b"smtp")
    assert list(client.receive(GREETING)) == []
    return client


def answered(said: bytes, credentials: Credentials = PLAIN) -> Answer | bytes:
    """The answer to the one question."""
    client = greeted()
    client.ask(credentials, PEER)
    [(number, answer)] = client.receive(said)
    assert number == 1
    return answer


def test_it_says_its_version_and_its_number_first() -> None:
    """Dovecot tells clients apart by it."""
    assert DovecotClient(7, b"smtp").hello() == b"VERSION\t1\t0\nCPID\t7\n"


def test_it_is_ready_when_dovecot_is_done_with_its_greeting() -> None:
    """Whatever the pieces; unknown words are passed over."""
    client = DovecotClient(7, b"smtp")

    for at in range(len(GREETING)):
        assert not client.ready
        assert list(client.receive(GREETING[at : at + 1])) == []
    assert client.ready


def test_of_mechanisms_it_knows_those_with_a_password() -> None:
    """CRAM-MD5 wants Dovecot's own challenge."""
    assert greeted().mechanisms == (b"PLAIN", b"LOGIN")


def test_a_question_about_plain() -> None:
    """As Postfix asks it, with our port; the response stands last."""
    assert greeted().ask(PLAIN, PEER) == (
        1,
        b"AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=10.0.0.1\trip=192.0.2.1\tlport=587\tsecured\tresp="
        + b64encode(b"\0joe\0s3cret")
        + b"\n",
    )


def test_what_is_not_known_of_the_client_is_not_said() -> None:
    """Nor that it has TLS when it has none."""
    question = greeted().ask(PLAIN, Peer(b"", b"", b"", secured=False))[1]

    assert question == b"AUTH\t1\tPLAIN\tservice=smtp\tnologin\tresp=" + b64encode(b"\0joe\0s3cret") + b"\n"


def test_login_says_the_name_first_and_the_password_when_asked() -> None:
    """Dovecot's LOGIN takes the name as its first response."""
    client = greeted()

    assert client.ask(LOGIN, PEER)[1].endswith(b"resp=" + b64encode(b"joe") + b"\n")
    assert list(client.receive(b"CONT\t1\tUGFzc3dvcmQ6\n")) == [(1, b"CONT\t1\t" + b64encode(b"s3cret") + b"\n")]
    assert list(client.receive(b"OK\t1\tuser=joe\n")) == [(1, Answer(Verdict.YES, b"joe"))]


def test_a_password_is_said_once() -> None:
    """A third question is no LOGIN."""
    client = greeted()
    client.ask(LOGIN, PEER)
    list(client.receive(b"CONT\t1\tUGFzc3dvcmQ6\n"))

    assert list(client.receive(b"CONT\t1\tUGFzc3dvcmQ6\n")) == [(1, Answer(Verdict.LATER, b"", "Dovecot cannot tell"))]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"OK\t1\tuser=joe\n", Answer(Verdict.YES, b"joe")),
        (b"OK\t1\tuser=joe@example.org\toriginal_user=joe\n", Answer(Verdict.YES, b"joe@example.org")),
        (b"OK\t1\n", Answer(Verdict.YES, b"joe")),
        (b"OK\t1\tuser=j\1to\x011e\n", Answer(Verdict.YES, b"j\to\1e")),
        (b"FAIL\t1\tuser=joe\n", Answer(Verdict.NO)),
        (b"FAIL\t1\tuser=joe\treason=Not today\n", Answer(Verdict.NO, b"", "Not today")),
        (b"FAIL\t1\tuser=joe\tcode=user_disabled\n", Answer(Verdict.NO, b"", "user_disabled")),
        (b"FAIL\t1\n", Answer(Verdict.NO)),
        (b"FAIL\t1\tuser=joe\ttemp\n", Answer(Verdict.LATER, b"", "Dovecot cannot tell")),
        (b"FAIL\t1\ttemp\tcode=temp_fail\treason=LDAP is away\n", Answer(Verdict.LATER, b"", "LDAP is away")),
        (b"CONT\t1\t\n", Answer(Verdict.LATER, b"", "Dovecot cannot tell")),
    ],
)
def test_an_answer(said: bytes, expected: Answer) -> None:
    """Dovecot's name for the user counts."""
    assert answered(said) == expected


def test_answers_come_in_any_order() -> None:
    """Each has the number of its question."""
    client = greeted()
    numbers = [client.ask(PLAIN, PEER)[0] for _ in range(3)]

    verdicts = [(number, answer) for number, answer in client.receive(b"FAIL\t3\nOK\t1\tuser=a\nOK\t2\tuser=b\n")]

    assert numbers == [1, 2, 3]
    assert verdicts == [(3, Answer(Verdict.NO)), (1, Answer(Verdict.YES, b"a")), (2, Answer(Verdict.YES, b"b"))]


def test_an_answer_counts_once() -> None:
    """Nor does one to no question."""
    client = greeted()
    client.ask(PLAIN, PEER)

    assert len(list(client.receive(b"OK\t1\nOK\t1\nOK\t2\nOK\t\nOK\nOK\tx\nOK\t-1\n"))) == 1


def test_what_is_forgotten_is_taken_back_and_its_answer_passed_over() -> None:
    """Once; an answered question is not."""
    client = greeted()
    number = client.ask(PLAIN, PEER)[0]

    assert client.forget(number) == b"CANCEL\t1\n"
    assert client.forget(number) == b""
    assert list(client.receive(b"OK\t1\n")) == []


@pytest.mark.parametrize("said", [b"+OK Dovecot ready.\r\n", b"MECH\tPLAIN\n", b"\n", b"VERSION\t2\t0\n", b"VERSION\n"])
def test_what_speaks_another_protocol_is_not_asked(said: bytes) -> None:
    """The version comes first, and it is 1."""
    with pytest.raises(NotDovecot):
        list(DovecotClient(7, b"smtp").receive(said))


def test_a_line_without_an_end_is_not_kept() -> None:
    """Not more of it than Dovecot's longest."""
    client = greeted()

    with pytest.raises(NotDovecot, match="has no end"):
        list(client.receive(b"x" * (LINE_LIMIT + 1)))


@given(st.binary(max_size=255), st.binary(max_size=255), st.sampled_from([PLAIN, LOGIN]))
def test_nothing_that_a_client_says_ends_a_line_or_a_word(login: bytes, secret: bytes, kind: Credentials) -> None:
    """It is in base64, and the last word."""
    question = greeted().ask(kind._replace(login=login, secret=secret), PEER)[1]

    assert question.count(b"\n") == 1
    assert question.count(b"\t") == 9
    assert question.rpartition(b"\t")[2].startswith(b"resp=")


@given(
    st.lists(st.sampled_from([b"OK\t1", b"FAIL\t1", b"\ttemp", b"\tuser=", b"CONT\t1\t", b"\n", b"\1"]) | st.binary())
)
def test_only_an_ok_lets_in(pieces: list[bytes]) -> None:
    """Fail closed, whatever comes."""
    client = greeted()
    client.ask(PLAIN, PEER)
    said = b"".join(pieces)

    yes = [answer for _number, answer in client.receive(said) if answer[0] is Verdict.YES]

    assert not yes or any(line.split(b"\t")[:2] == [b"OK", b"1"] for line in said.split(b"\n"))
