"""Cyrus SASL's smtpd.conf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.auth.smtpd_conf import SASLAUTHD_PATH, SmtpdConf, paths, smtpd_conf
from ucspi_py.core.errors import AskedWrongly

#: The Postfix guide's file.
GUIDE = "log_level: 3\npwcheck_method: saslauthd\nmech_list: plain login\n"


def conf(text: str) -> SmtpdConf:
    """Of the file /x."""
    return smtpd_conf("/x", text)


def test_the_guides_file() -> None:
    """Nothing in it is without effect."""
    assert conf(GUIDE) == SmtpdConf((b"PLAIN", b"LOGIN"), SASLAUTHD_PATH)


def test_blanks_comments_and_capitals_are_the_librarys() -> None:
    """config.c."""
    text = "# a comment\n\n  PwCheck_Method:saslauthd\n\tmech_list:\tLogin  PLAIN  \nLOG_LEVEL: 7"

    assert conf(text).mechanisms == (b"LOGIN", b"PLAIN")


def test_the_socket_may_be_elsewhere() -> None:
    """In the queue directory, for a Postfix in its chroot."""
    assert conf(GUIDE + "saslauthd_path: /var/spool/postfix/var/run/saslauthd/mux\n").saslauthd == (
        "/var/spool/postfix/var/run/saslauthd/mux"
    )


def test_the_first_line_of_a_name_counts() -> None:
    """As in the library."""
    assert conf("pwcheck_method: saslauthd\npwcheck_method: auxprop\n").mechanisms == (b"PLAIN", b"LOGIN")


def test_mechanisms_that_saslauthd_cannot_check_are_not_offered() -> None:
    """Cyrus SASL would offer them, and nobody could log in."""
    assert conf("pwcheck_method: saslauthd\nmech_list: plain cram-md5 digest-md5\n") == SmtpdConf(
        (b"PLAIN",), SASLAUTHD_PATH, ("/x line 2: saslauthd cannot check CRAM-MD5, DIGEST-MD5, which are not offered",)
    )


def test_what_does_nothing_is_named() -> None:
    """With its line."""
    assert conf(GUIDE + "auxprop_plugin: sql\n").without_effect == ("/x line 4: auxprop_plugin does nothing here",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "/x: without pwcheck_method the passwords are auxprop's; here it is saslauthd only"),
        (
            "pwcheck_method: auxprop\n",
            "/x line 1: of pwcheck_method saslauthd is known here, and not 'auxprop'",
        ),
        (
            "\npwcheck_method: saslauthd auxprop\n",
            "/x line 2: of pwcheck_method saslauthd is known here, and not 'saslauthd auxprop'",
        ),
        (
            "pwcheck_method: saslauthd\nmech_list: cram-md5\n",
            "/x line 2: of mech_list plain and login are known with saslauthd, and not 'CRAM-MD5'",
        ),
        (
            "pwcheck_method: saslauthd\nminimum_layer: 128\n",
            "/x line 2: minimum_layer is not known here; smtpd_tls_auth_only = yes asks for TLS",
        ),
        ("pwcheck_method saslauthd\n", "/x line 1: 'pwcheck_method saslauthd' is not name: value"),
        ("pwcheck_method:\n", "/x line 1: 'pwcheck_method:' is not name: value"),
        ("pwcheck method: saslauthd\n", "/x line 1: 'pwcheck method: saslauthd' is not name: value"),
        (": x\n", "/x line 1: ': x' is not name: value"),
    ],
)
def test_what_is_refused(text: str, sentence: str) -> None:
    """In one sentence, with the line."""
    with pytest.raises(AskedWrongly) as refused:
        conf(text)
    assert refused.value.sentence == sentence


def test_no_layer_is_what_everybody_has() -> None:
    """It refuses nobody."""
    assert conf(GUIDE + "minimum_layer: 0\n") == conf(GUIDE)


@given(st.text() | st.lists(st.sampled_from([*GUIDE.splitlines(keepends=True), ":", "\n", "x: y\n"])).map("".join))
def test_any_file_is_a_meaning_or_a_sentence(text: str) -> None:
    """Never anything else."""
    try:
        meaning = conf(text)
    except AskedWrongly:
        return
    assert set(meaning.mechanisms) <= {b"PLAIN", b"LOGIN"}
    assert meaning.mechanisms


def test_the_file_is_in_one_of_the_folders_that_are_told() -> None:
    """cyrus_sasl_config_path."""
    assert paths("/etc/sasl2:/b", "smtpd") == ("/etc/sasl2/smtpd.conf", "/b/smtpd.conf")


def test_or_where_the_library_looks() -> None:
    """Debian's Postfix has a folder of its own."""
    assert paths("", "submission")[:2] == ("/etc/postfix/sasl/submission.conf", "/etc/sasl2/submission.conf")
