"""What a worker asks of the guard, in bytes: nothing else than a request is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.answer import Verdict
from ucspi_py.core.auth.credentials import Credentials, Peer
from ucspi_py.core.guard import request
from ucspi_py.core.guard.request import CheckAsked, KeysAsked

PEER = Peer(b"192.0.2.1", b"2001:db8::1", b"587", secured=True)
CHECK = CheckAsked(Credentials(b"CRAM-MD5", b"bob", b"0" * 32, b"<1@x>"), PEER)


def packed(login: bytes = b"bob", secret: bytes = b"secret", peer: Peer = PEER, mechanism: bytes = b"PLAIN") -> bytes:
    packet = request.encode(CheckAsked(Credentials(mechanism, login, secret), peer))
    assert packet is not None
    return packet


@pytest.mark.parametrize("asked", [CHECK, CHECK._replace(peer=Peer(b"", b"", b"", secured=False)), KeysAsked(7)])
def test_a_request_arrives_as_it_was_made(asked: CheckAsked | KeysAsked) -> None:
    """Every field, also an empty one."""
    packet = request.encode(asked)

    assert packet is not None
    assert len(packet) <= request.PACKET_LIMIT
    assert request.decode(packet) == asked


@given(st.binary(max_size=255), st.binary(max_size=255))
def test_any_bytes_are_a_login_and_a_password(login: bytes, secret: bytes) -> None:
    """What a checker may be told of them is decided later."""
    asked = request.decode(packed(login, secret))

    assert isinstance(asked, CheckAsked)
    assert asked.credentials == Credentials(b"PLAIN", login, secret)


def test_a_longer_field_is_not_sent() -> None:
    """Its length has one byte."""
    assert request.encode(CheckAsked(Credentials(b"PLAIN", b"bob", b"x" * 256), PEER)) is None


@given(st.binary(max_size=100))
def test_no_bytes_harm_the_reader(packet: bytes) -> None:
    """Behind any head."""
    for head in (b"", b"\x01C", b"\x01CS", b"\x01K"):
        request.decode(head + packet)
    assert request.decode(b"\x02" + packet) is None


def test_a_request_that_is_cut_or_too_long_is_none() -> None:
    """At every byte."""
    for whole in (packed(), request.encode(KeysAsked(1)) or b""):
        assert request.decode(whole) is not None
        assert [end for end in range(len(whole)) if request.decode(whole[:end]) is not None] == []
        assert request.decode(whole + b"\0") is None


@pytest.mark.parametrize(
    "peer",
    [
        PEER._replace(remote_ip=b"() { :; }"),
        PEER._replace(remote_ip=b"192.0.2"),
        PEER._replace(remote_ip=b"192.0.2.1\n"),
        PEER._replace(local_ip=b"fe80::1%eth0"),
        PEER._replace(local_port=b"587\n"),
        PEER._replace(local_port=b"587=x"),
    ],
)
def test_an_address_is_an_address_and_a_port_a_port(peer: Peer) -> None:
    """They stand in the environment of a program that root runs."""
    assert request.decode(packed(peer=peer)) is None


def test_a_mechanism_is_one_that_we_know() -> None:
    """Nothing else is handed to a checker."""
    assert request.decode(packed(mechanism=b"XOAUTH2")) is None


@pytest.mark.parametrize("verdict", Verdict)
def test_an_answer_is_one_byte(verdict: Verdict) -> None:
    """And arrives as it was meant."""
    assert len(request.letter(verdict)) == 1
    assert request.verdict(request.letter(verdict)) is verdict


@pytest.mark.parametrize("packet", [b"", b"y", b"YN", b"\0"])
def test_what_is_no_answer_lets_nobody_in(packet: bytes) -> None:
    """It cannot be told who the client is."""
    assert request.verdict(packet) is Verdict.LATER


def test_a_generation_arrives() -> None:
    """And nothing else is one."""
    assert request.generation_of(request.generation(3)) == 3
    assert request.generation_of(b"") is None
    assert request.generation_of(request.generation(3) + b"x") is None
