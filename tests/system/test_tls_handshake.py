"""Handshakes with clients of every kind, and what is known of them afterwards."""

import asyncio
import contextlib
import gc
import os
import socket
import ssl
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from tests.support.certificates import Authority
from tests.support.held import Ends, connected
from tests.support.tls import Slowly, common_names, shake_hands, trusting
from tests.support.waiting import PATIENCE
from ucspi_py.core.errors import Failure
from ucspi_py.core.tls.settings import Pair, TlsSettings
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.process.signals import readable
from ucspi_py.system.tls import odd_names
from ucspi_py.system.tls.context import build
from ucspi_py.system.tls.handshake import HandshakeFailed, handshake
from ucspi_py.system.tls.pem import sealed
from ucspi_py.system.tls.session import TlsSession

#: For a client of which nothing else is to come.
SHORT = 0.05


class Keys(NamedTuple):
    """An authority, and pairs it has signed."""

    authority: Authority
    default: Pair
    rsa: Pair
    exact: Pair
    below: Pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    return Keys(
        authority,
        authority.pair("mx.example"),
        authority.pair("mx.example", kind="RSA"),
        authority.pair("a.example")._replace(names=("a.example",)),
        authority.pair("b.b.example")._replace(names=(".b.example",)),
    )


def context_of(settings: TlsSettings) -> ssl.SSLContext:
    fds = [sealed(pair) for pair in settings.pairs]
    try:
        return build(settings, fds)
    finally:
        for fd in fds:
            os.close(fd)


def meet(settings: TlsSettings, client: Callable[[socket.socket], object], seconds: float = 20) -> TlsSession:
    """Shake hands with a client that is in a thread of its own."""

    def there(plain: socket.socket) -> None:
        plain.settimeout(PATIENCE)
        try:
            client(plain)
        finally:
            plain.shutdown(socket.SHUT_WR)

    async def play(ends: Ends) -> TlsSession:
        away = asyncio.get_running_loop().run_in_executor(None, there, ends.client)
        try:
            return await handshake(asyncio.get_running_loop(), ends.server, context_of(settings), seconds)
        finally:
            ends.server.shutdown(socket.SHUT_WR)
            await asyncio.gather(away, return_exceptions=True)

    with connected() as ends, contextlib.closing(new_loop()) as loop:
        return loop.run_until_complete(play(ends))


def asking(keys: Keys, name: str | None = "mx.example", **versions: ssl.TLSVersion) -> Callable[[socket.socket], None]:
    def client(plain: socket.socket) -> None:
        shake_hands(trusting(keys.authority.ca_file, **versions), plain.dup(), name).close()

    return client


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_both_versions_are_spoken(keys: Keys, version: str) -> None:
    only = ssl.TLSVersion[version.replace(".", "_")]
    session = meet(TlsSettings((keys.default,)), asking(keys, minimum_version=only, maximum_version=only))
    facts = session.facts()
    assert (facts.protocol, facts.bits >= 128, facts.server_name) == (version.encode(), True, b"mx.example")
    assert facts.cipher
    assert (facts.subject, facts.serial, facts.fingerprint) == (b"", b"", b"")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_not(keys: Keys, version: ssl.TLSVersion) -> None:
    with pytest.raises(HandshakeFailed, match="unsupported protocol"):
        meet(TlsSettings((keys.default,)), asking(keys, minimum_version=version, maximum_version=version))


def test_the_operator_may_want_newer_ones_only(keys: Keys) -> None:
    client = asking(keys, maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(HandshakeFailed, match="unsupported protocol"):
        meet(TlsSettings((keys.default,), lowest="TLSv1.3"), client)


def test_ciphers_are_the_operator_s(keys: Keys) -> None:
    settings = TlsSettings((keys.default,), highest="TLSv1.2", ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")
    assert meet(settings, asking(keys)).facts().cipher == b"ECDHE-ECDSA-CHACHA20-POLY1305"


def test_ciphers_that_there_are_not_are_named(keys: Keys) -> None:
    with pytest.raises(Failure, match=r"^unable to use the ciphers NONSENSE: no cipher can be selected$"):
        context_of(TlsSettings((keys.default,), ciphers="NONSENSE"))


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (None, "mx.example"),
        ("a.example", "a.example"),
        ("A.Example", "a.example"),
        ("b.b.example", "b.b.example"),
        ("c.b.example", "b.b.example"),
        ("b.example", "mx.example"),
        ("unknown.example", "mx.example"),
        ("a" * 60 + "." + "a" * 60 + ".example", "mx.example"),
    ],
)
def test_the_certificate_is_the_one_for_the_name(keys: Keys, asked: str | None, got: str) -> None:
    names = []

    def client(plain: socket.socket) -> None:
        context = trusting(keys.authority.ca_file)
        context.check_hostname = False
        with shake_hands(context, plain.dup(), asked) as secured:
            names.extend(common_names(secured))

    session = meet(TlsSettings((keys.default, keys.exact, keys.below)), client)
    assert names == [got]
    assert session.facts().server_name == (asked or "").encode()


def test_without_one_for_everybody_the_first_is(keys: Keys) -> None:
    names = []

    def client(plain: socket.socket) -> None:
        with shake_hands(trusting(keys.authority.ca_file), plain.dup()) as secured:
            names.extend(common_names(secured))

    meet(TlsSettings((keys.exact, keys.below)), client)
    assert names == ["a.example"]


def _with_name(context: ssl.SSLContext, plain: socket.socket, name: bytes) -> None:
    """A ClientHello with another name than ssl allows. name: of ten bytes."""
    hello = next(Slowly(context, plain, "0123456789").flights())
    assert b"0123456789" in hello
    plain.sendall(hello.replace(b"0123456789", name))


def _lengthened(hello: bytes, name: bytes, longer: bytes) -> bytes:
    """A ClientHello with another name, and all lengths around it (RFC 8446, 4.1.2; RFC 6066, 3)."""
    more = len(longer) - len(name)
    place = hello.index(name)
    session = 5 + 4 + 2 + 32
    ciphers = session + 1 + hello[session]
    methods = ciphers + 2 + int.from_bytes(hello[ciphers : ciphers + 2])
    extensions = methods + 1 + hello[methods]
    changed = bytearray(hello)
    for start, size in ((3, 2), (6, 3), (extensions, 2), (place - 7, 2), (place - 5, 2), (place - 2, 2)):
        changed[start : start + size] = (int.from_bytes(hello[start : start + size]) + more).to_bytes(size)
    return bytes(changed).replace(name, longer)


def test_a_name_of_300_bytes_costs_its_own_handshake(keys: Keys) -> None:
    def client(plain: socket.socket) -> None:
        hello = next(Slowly(trusting(keys.authority.ca_file), plain, "0123456789").flights())
        plain.sendall(_lengthened(hello, b"0123456789", b"a" * 300))

    with pytest.raises(HandshakeFailed, match="bad extension"):
        meet(TlsSettings((keys.default,)), client)


def test_a_name_of_200_bytes_does_not(keys: Keys) -> None:
    def client(plain: socket.socket) -> None:
        hello = next(Slowly(trusting(keys.authority.ca_file), plain, "0123456789").flights())
        plain.sendall(_lengthened(hello, b"0123456789", b"a" * 200))

    with pytest.raises(HandshakeFailed, match="hung up"):
        meet(TlsSettings((keys.default,)), client)


def test_a_name_that_is_none_costs_its_own_handshake_and_no_line(
    keys: Keys, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    odd_names.keep_quiet()
    with pytest.raises(HandshakeFailed, match="callback failed"):
        meet(
            TlsSettings((keys.default,)),
            lambda plain: _with_name(trusting(keys.authority.ca_file), plain, b"\xff\n: forged"[:10]),
        )
    assert capsys.readouterr().err == ""


def test_a_name_that_python_3_14_speaks_of_costs_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the name in a text, where others have it as an object."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    odd_names.keep_quiet()
    text = "Exception ignored in ssl servername callback while decoding name b'\\xff'"

    for err_msg in (text, "Exception ignored in another callback"):
        sys.unraisablehook(SimpleNamespace(exc_type=UnicodeDecodeError, object=None, err_msg=err_msg))

    assert [what.err_msg for what in told if isinstance(what, SimpleNamespace)] == [
        "Exception ignored in another callback"
    ]


def test_what_else_cannot_be_raised_is_told_as_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("broken")

    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    odd_names.keep_quiet()
    odd_names.keep_quiet()
    Broken()
    assert "ValueError: broken" in capsys.readouterr().err


@pytest.mark.parametrize(("signature", "kind"), [("ECDSA", b"ECDSA"), ("RSA", b"RSA")])
def test_of_two_kinds_of_keys_a_client_gets_the_one_it_knows(keys: Keys, signature: str, kind: bytes) -> None:
    def client(plain: socket.socket) -> None:
        context = trusting(keys.authority.ca_file, maximum_version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(f"ECDHE+a{signature}")
        shake_hands(context, plain.dup(), "mx.example").close()

    assert kind in meet(TlsSettings((keys.default, keys.rsa)), client).facts().cipher


def test_a_key_that_is_not_the_certificate_s_is_named(keys: Keys) -> None:
    pair = keys.default._replace(key=keys.exact.key)
    with pytest.raises(Failure, match=f"^unable to use {pair.certificate} with {pair.key}: key values mismatch$"):
        context_of(TlsSettings((pair,)))


def certified(keys: Keys, by: Authority) -> Callable[[socket.socket], None]:
    def client(plain: socket.socket) -> None:
        context = trusting(keys.authority.ca_file)
        pair = by.pair("u@example.org", file="client")
        context.load_cert_chain(pair.certificate, pair.key)
        with shake_hands(context, plain.dup(), "mx.example") as secured:
            secured.recv(1)

    return client


def test_a_client_s_certificate_is_known_by_subject_serial_and_fingerprint(keys: Keys) -> None:
    settings = TlsSettings((keys.default,), ca_file=str(keys.authority.ca_file))
    facts = meet(settings, certified(keys, keys.authority)).facts()
    assert facts.subject.startswith(b"OU=")
    assert facts.issuer.startswith(b"OU=")
    assert len(facts.fingerprint) == 64
    assert facts.serial


def test_a_client_that_may_need_not_show_one(keys: Keys) -> None:
    settings = TlsSettings((keys.default,), ca_file=str(keys.authority.ca_file))
    assert meet(settings, asking(keys)).facts().fingerprint == b""


def test_a_client_that_must_and_shows_none_is_refused(keys: Keys) -> None:
    settings = TlsSettings((keys.default,), ca_file=str(keys.authority.ca_file), requires_certificate=True)
    with pytest.raises(HandshakeFailed, match="peer did not return a certificate"):
        meet(settings, asking(keys))


@pytest.mark.parametrize("requires", [False, True])
def test_a_certificate_of_a_stranger_is_refused(keys: Keys, tmp_path: Path, requires: bool) -> None:
    settings = TlsSettings((keys.default,), ca_file=str(keys.authority.ca_file), requires_certificate=requires)
    with pytest.raises(HandshakeFailed, match="certificate verify failed"):
        meet(settings, certified(keys, Authority(tmp_path)))


def test_an_authority_that_is_none_is_named(keys: Keys) -> None:
    with pytest.raises(Failure, match=r"^unable to use /nowhere: file does not exist$"):
        context_of(TlsSettings((keys.default,), ca_file="/nowhere"))


def test_a_handshake_may_come_byte_by_byte(keys: Keys) -> None:
    def client(plain: socket.socket) -> None:
        for flight in Slowly(trusting(keys.authority.ca_file), plain, "mx.example").flights():
            for byte in flight:
                plain.sendall(bytes((byte,)))

    assert meet(TlsSettings((keys.default,)), client).facts().protocol == b"TLSv1.3"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "http request"),
        (b"EHLO x\r\n", "wrong version number"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "wrong version number"),
        (b"\0" * 100, "wrong version number"),
        (b"", "hung up"),
        (b"\x16\x03\x01", "hung up"),
    ],
)
def test_what_is_no_tls_has_a_reason(keys: Keys, said: bytes, reason: str) -> None:
    def client(plain: socket.socket) -> None:
        plain.sendall(said)
        plain.shutdown(socket.SHUT_WR)

    with pytest.raises(HandshakeFailed, match=f"^{reason}$"):
        meet(TlsSettings((keys.default,)), client)


def test_a_handshake_that_fails_leaves_nothing_to_the_garbage_collector(keys: Keys) -> None:
    """Its memory is free for the next client at once: there are many who look what listens where."""

    async def failed(ends: Ends) -> None:
        ends.client.send(b"EHLO x\r\n")
        with contextlib.suppress(HandshakeFailed):
            await handshake(asyncio.get_running_loop(), ends.server, context_of(TlsSettings((keys.default,))), PATIENCE)

    gc.collect()
    gc.disable()
    try:
        with connected() as ends, contextlib.closing(new_loop()) as loop:
            loop.run_until_complete(failed(ends))
        assert not [one for one in gc.get_objects() if isinstance(one, TlsSession)]
    finally:
        gc.enable()


def test_a_client_that_says_nothing_is_left(keys: Keys) -> None:
    with pytest.raises(HandshakeFailed, match=r"^timed out$"):
        meet(TlsSettings((keys.default,)), lambda plain: plain.recv(1), SHORT)


def test_a_client_that_resets_is_left(keys: Keys) -> None:
    def client(plain: socket.socket) -> None:
        plain.sendall(next(Slowly(trusting(keys.authority.ca_file), plain, "mx.example").flights()))
        plain.recv(1, socket.MSG_PEEK)
        plain.shutdown(socket.SHUT_RDWR)

    with pytest.raises(HandshakeFailed, match=r"^hung up$"):
        meet(TlsSettings((keys.default,)), client)


def test_who_shakes_hands_gives_way_to_all_others(keys: Keys) -> None:
    """With a key of RSA each takes milliseconds, and as many begin at once as like to: each turn has one of them."""
    context, said = context_of(TlsSettings((keys.rsa,))), hello(keys)

    async def play(loop: asyncio.AbstractEventLoop) -> list[int]:
        answered: list[int] = []
        guests = [socket.socketpair() for _ in range(20)]
        tasks = [asyncio.create_task(handshake(loop, ours, context, 20)) for ours, _ in guests]
        for _, theirs in guests:
            theirs.send(said)
        while sum(answered[-1:]) < 20 and len(answered) < 100:
            await asyncio.sleep(0)
            answered.append(sum(readable(0, theirs.fileno()) for _, theirs in guests))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in sum(guests, ()):
            end.close()
        return answered

    with contextlib.closing(new_loop()) as loop:
        answered = loop.run_until_complete(play(loop))

    assert max(after - before for before, after in pairwise([0, *answered])) == 1
    assert answered[-1] == 20


def hello(keys: Keys) -> bytes:
    """What a client says first."""
    ours, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting(keys.authority.ca_file).wrap_bio(ours, out, server_hostname="mx.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()
