"""What is said of a client's TLS, and how long a certificate is valid."""

import datetime

import pytest
import trustme

from ucspi_py.core.tls import environment, ucspi, validity
from ucspi_py.core.tls.facts import TlsFacts
from ucspi_py.core.tls.subject import LIMIT, Subject, written

PLAIN = TlsFacts(b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256)
FULL = PLAIN._replace(server_name=b"mx.example", subject=b"CN=u", serial=b"0A", fingerprint=b"ab" * 32)


def test_a_program_is_told_protocol_and_cipher() -> None:
    assert environment.variables(PLAIN) == {
        b"SSL_VERSION_INTERFACE": b"ucspi_py",
        b"SSL_PROTOCOL": b"TLSv1.3",
        b"SSL_CIPHER": b"TLS_AES_256_GCM_SHA384",
        b"SSL_CIPHER_USEKEYSIZE": b"256",
        b"SSL_CLIENT_VERIFY": b"NONE",
    }


def test_a_program_is_told_name_and_certificate_where_there_are_any() -> None:
    told = environment.variables(FULL)
    assert told[b"SSL_TLS_SNI_SERVERNAME"] == b"mx.example"
    assert told[b"SSL_CLIENT_VERIFY"] == b"SUCCESS"
    assert told[b"SSL_PEER_CERT_HASH"] == b"SHA256:" + b"ab" * 32
    assert (told[b"SSL_CLIENT_S_DN"], told[b"SSL_PEER_CERT_SUBJECT"], told[b"SSL_CLIENT_M_SERIAL"]) == (
        b"CN=u",
        b"CN=u",
        b"0A",
    )


def test_nobody_else_says_anything_of_the_client_s_tls() -> None:
    forged = dict.fromkeys((b"SSL_CLIENT_VERIFY", b"SSL_PEER_CERT_HASH", b"SSL_X", b"SSLCTLFD", b"UCSPITLS"), b"forged")
    kept = {b"PROTO": b"TCP", b"SSL_CERT_FILE": b"/ca.pem", b"SSL_CERT_DIR": b"/ca", b"TCPREMOTEIP": b"192.0.2.1"}
    assert environment.without_tls(forged | kept) == kept
    assert environment.with_tls(forged | kept, PLAIN) == kept | environment.variables(PLAIN)


def test_a_program_that_may_ask_has_descriptors_and_no_tls_yet() -> None:
    offered = ucspi.offered({b"SSL_PROTOCOL": b"forged", b"SSLCTLFD": b"9", b"X": b"y"})
    descriptors = {b"SSLCTLFD": b"3", b"SSLREADFD": b"4", b"SSLWRITEFD": b"4"}
    assert offered == {b"X": b"y", b"UCSPITLS": b"", **descriptors}


def test_whether_a_program_must_ask_is_the_rules_to_say() -> None:
    assert ucspi.offered({b"UCSPITLS": b"!"})[b"UCSPITLS"] == b"!"


def test_a_program_that_has_asked_is_told_in_one_answer() -> None:
    told = ucspi.told(FULL._replace(subject=b"x" * LIMIT))
    assert told.startswith(b"SSL_VERSION_INTERFACE=ucspi_py\0SSL_PROTOCOL=TLSv1.3\0")
    assert told.endswith(b"\0\0")
    assert len(told) <= 4096


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ((), b""),
        (((("countryName", "XX"),), (("organizationName", "Ex"),), (("commonName", "a b"),)), b"CN=a b,O=Ex,C=XX"),
        (((("commonName", "a"), ("emailAddress", "a@b")),), b"CN=a+emailAddress=a@b"),
        (((("commonName", ' #a,b+c"d\\e<f>g;h '),),), b'CN=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\ '),
        (((("commonName", "#1"),),), b"CN=\\#1"),
        (((("commonName", "a\nb\0c"),),), b"CN=a\\0Ab\\00c"),
        (((("commonName", "Ä"),),), "CN=Ä".encode()),
        (((("commonName", "a" * 5000),),), (b"CN=" + b"a" * 5000)[:LIMIT]),
    ],
)
def test_a_subject_is_written_on_one_line(subject: Subject, line: bytes) -> None:
    assert written(subject) == line


@pytest.mark.parametrize("year", [2030, 2049, 2050, 2999])
def test_the_end_of_a_certificate_is_found(year: int) -> None:
    end = datetime.datetime(year, 3, 1, 12, 34, 56, tzinfo=datetime.UTC)
    issued = trustme.CA().issue_cert("mx.example", not_after=end)
    assert validity.not_after(issued.cert_chain_pems[0].bytes()) == end


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_has_no_end(pem: bytes) -> None:
    assert validity.not_after(pem) is None


def test_a_damaged_certificate_raises_nothing() -> None:
    pem = trustme.CA().issue_cert("mx.example").cert_chain_pems[0].bytes()
    lines = pem.splitlines()
    for number in range(1, len(lines) - 1):
        validity.not_after(b"\n".join((*lines[:number], b"AAAA", *lines[number:])))


@pytest.mark.parametrize(("seconds", "days"), [(86400, 1), (86399, 0), (0, 0), (-1, -1)])
def test_whole_days_are_counted(seconds: int, days: int) -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert validity.days_left(now + datetime.timedelta(seconds=seconds), now) == days
