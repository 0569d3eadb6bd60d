"""What main.cf asks of TLS: which keys, versions and ciphers, and what cannot be had."""

from collections.abc import Iterable

import pytest

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import option
from ucspi_py.core.gate.tls.configured import gate_tls
from ucspi_py.core.gate.tls.settings import GateTls
from ucspi_py.core.gate.tls.versions import Versions
from ucspi_py.core.tls.settings import Pair, TlsSettings

CERTIFICATE = "smtpd_tls_cert_file=/c"
MAY, ENCRYPT = "smtpd_tls_security_level=may", "smtpd_tls_security_level=encrypt"
ONE = (Pair("/c", "/c"),)


def names(word: str) -> Iterable[tuple[str, str]]:
    """A table of two server names, one of which has two certificates."""
    assert word == "hash:/names"
    return [("MX.example.org", "/a /b"), (".example.net", "/n")]


def asked(*options: str) -> GateTls | None:
    """What some options ask of TLS."""
    return gate_tls(Configuration(map(option, options)), names)


def tls(*options: str) -> TlsSettings:
    """The settings of some options that ask for it."""
    found = asked(CERTIFICATE, *options)
    assert found
    return found.tls


def refusal(*options: str) -> str:
    """Why options are refused."""
    with pytest.raises(AskedWrongly) as caught:
        asked(CERTIFICATE, *options)
    return caught.value.sentence


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ([], None),
        (["smtpd_tls_security_level=none"], None),
        (["smtpd_tls_security_level="], None),
        ([MAY], False),
        (["smtpd_tls_security_level=MAY"], False),
        ([ENCRYPT], True),
        (["smtpd_use_tls=yes"], False),
        (["smtpd_enforce_tls=yes"], True),
        (["smtpd_enforce_tls=yes", MAY], False),
        (["smtpd_use_tls=yes", "smtpd_tls_security_level=none"], None),
        (["smtpd_tls_wrappermode=yes"], True),
    ],
    ids=str,
)
def test_who_wants_tls_says_how_much_of_it(options: list[str], level: bool | None) -> None:
    """The older parameters count where the newer one is silent."""
    found = asked(CERTIFICATE, *options)

    assert (found and found.is_required) is level
    assert found is None or found.wrapper_mode is ("smtpd_tls_wrappermode=yes" in options)


def test_what_nobody_says_is_safe() -> None:
    """The defaults."""
    assert asked(CERTIFICATE, MAY) == GateTls(TlsSettings(ONE, handshake_seconds=60))


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        ([CERTIFICATE], ONE),
        ([CERTIFICATE, "smtpd_tls_key_file=/k"], (Pair("/c", "/k"),)),
        (
            [CERTIFICATE, "smtpd_tls_key_file=/k", "smtpd_tls_eccert_file=/ec", "smtpd_tls_eckey_file=/ek"],
            (Pair("/c", "/k"), Pair("/ec", "/ek")),
        ),
        (["smtpd_tls_cert_file=none", "smtpd_tls_eccert_file=/ec"], (Pair("/ec", "/ec"),)),
        ([CERTIFICATE, "smtpd_tls_chain_files=/a, /b"], (Pair("/a", "/a"), Pair("/b", "/b"))),
        (
            [CERTIFICATE, "tls_server_sni_maps=hash:/names"],
            (
                *ONE,
                Pair("/a", "/a", ("mx.example.org",)),
                Pair("/b", "/b", ("mx.example.org",)),
                Pair("/n", "/n", (".example.net",)),
            ),
        ),
    ],
    ids=["one file", "two files", "two kinds", "one kind", "chains", "names"],
)
def test_keys_are_where_they_are_said_to_be(options: list[str], pairs: tuple[Pair, ...]) -> None:
    """Each pair by its files, and the names that it is for."""
    found = asked(MAY, *options)

    assert found
    assert found.tls.pairs == pairs


def test_tls_without_keys_is_offered_to_nobody() -> None:
    """And refused where it is required: nobody could send mail."""
    assert asked(MAY) is None
    with pytest.raises(AskedWrongly, match="-o: TLS is required, and smtpd_tls_chain_files is not set"):
        asked(ENCRYPT)


@pytest.mark.parametrize(
    ("words", "versions"),
    [
        (">=TLSv1.2", ("TLSv1.2", None)),
        (">=TLSv1", ("TLSv1", None)),
        (">=TLSv1.3", ("TLSv1.3", None)),
        (">=TLSv1.1, <=TLSv1.2", ("TLSv1.1", "TLSv1.2")),
        ("<=TLSv1.2", ("TLSv1.2", "TLSv1.2")),
        ("!SSLv2, !SSLv3", ("TLSv1.2", None)),
        ("!SSLv2 !SSLv3 !TLSv1 !TLSv1.1", ("TLSv1.2", None)),
        ("!TLSv1.3", ("TLSv1.2", "TLSv1.2")),
        ("!TLSv1.2", ("TLSv1.3", None)),
        ("TLSv1.2", ("TLSv1.2", "TLSv1.2")),
        ("TLSv1 TLSv1.1 TLSv1.2", ("TLSv1", "TLSv1.2")),
        (">=", ("TLSv1.2", None)),
        (">=0303", ("TLSv1.2", None)),
        (">=SSLv3", ("TLSv1", None)),
        ("tlsv1.3", ("TLSv1.3", None)),
    ],
)
def test_versions_are_what_their_words_mean(words: str, versions: tuple[str, str | None]) -> None:
    """Old ones only where they are named."""
    found = tls(MAY, f"smtpd_tls_protocols={words}")

    assert Versions(str(found.lowest), found.highest) == versions


@pytest.mark.parametrize("words", ["TLSv1 TLSv1.3", "!TLSv1.2 !TLSv1.3", "<=SSLv3", "TLSv4", "!", "SSLv3"])
def test_versions_that_cannot_be_had_are_refused(words: str) -> None:
    """At the place that names them."""
    assert refusal(MAY, f"smtpd_tls_protocols={words}").startswith("-o: smtpd_tls_protocols ")


def test_where_tls_is_required_it_may_be_another_one() -> None:
    """The mandatory forms, and what is excluded from both."""
    options = (
        "smtpd_tls_protocols=>=TLSv1",
        "smtpd_tls_mandatory_protocols=>=TLSv1.3",
        "smtpd_tls_mandatory_ciphers=high",
        "smtpd_tls_exclude_ciphers=RC4, aNULL",
        "smtpd_tls_mandatory_exclude_ciphers=MD5",
    )

    offered, required = tls(MAY, *options), tls(ENCRYPT, *options)

    assert (offered.lowest, offered.ciphers) == ("TLSv1", "HIGH:MEDIUM:!aNULL:!RC4:!aNULL")
    assert (required.lowest, required.ciphers) == ("TLSv1.3", "HIGH:!aNULL:!RC4:!aNULL:!MD5")


def test_a_list_of_ciphers_is_that_of_its_grade() -> None:
    """As generators of configurations write it; without a word about ciphers OpenSSL has its own."""
    assert tls(MAY, "tls_medium_cipherlist=ECDHE+AESGCM").ciphers == "ECDHE+AESGCM"
    assert tls(MAY).ciphers is None


@pytest.mark.parametrize("grade", ["low", "export", "null", "strong"])
def test_weak_ciphers_are_gone(grade: str) -> None:
    """Whoever asks for them is told."""
    assert "must be medium or high" in refusal(MAY, f"smtpd_tls_ciphers={grade}")


def test_certificates_of_clients_are_asked_for_where_tls_is_required() -> None:
    """By a loaded authority; elsewhere an unknown one would have no TLS at all."""
    found = tls(ENCRYPT, "smtpd_tls_ask_ccert=yes", "smtpd_tls_CAfile=/ca")

    assert (found.ca_file, found.requires_certificate) == ("/ca", False)
    assert tls(ENCRYPT, "smtpd_tls_req_ccert=yes", "smtpd_tls_CAfile=/ca").requires_certificate
    assert tls(ENCRYPT, "smtpd_tls_CAfile=/ca").ca_file is None
    assert "only where TLS is required" in refusal(MAY, "smtpd_tls_ask_ccert=yes", "smtpd_tls_CAfile=/ca")
    assert "smtpd_tls_CAfile is not set" in refusal(ENCRYPT, "smtpd_tls_ask_ccert=yes")
    assert "name a file" in refusal(ENCRYPT, "smtpd_tls_ask_ccert=yes", "smtpd_tls_CApath=/cas")
