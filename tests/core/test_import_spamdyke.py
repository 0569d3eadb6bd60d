"""A spamdyke.conf as the gate says it, without a gate: each option, what takes a line back, and what is not said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import settings
from ucspi_py.core.gate.restrictions.configured import restriction_settings
from ucspi_py.core.importers.spamdyke.imported import Imported, import_spamdyke

FILES = {
    "/etc/spamdyke/ip": "# ours\n203.0.113.4\n192.0.2.0/23\n\n10.1.2-3.\n",
    "/etc/spamdyke/names": ".example.net\nmail.example.com\n",
    "/etc/spamdyke/more.conf": "reject-empty-rdns\n",
    "/etc/spamdyke/blocked.conf": "relay-level=block-all\r\n",
    "/etc/spamdyke/empty": "# nobody yet\n",
    "/etc/spamdyke/blanks": "mail.example.com \n joe@example.org\n\t192.0.2.1\n",
    "/etc/spamdyke/mac": "mail.example.com\rmail.example.net\r",
    "/etc/spamdyke/zones": "zen.example\nno zone\n",
}
BASE = {"compatibility_level", "parent_domain_matches_subdomains", "smtpd_relay_restrictions", "mynetworks"}


RELAY_CHECKS = {
    "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "reject_unauth_destination",
}


def imported(text: str) -> Imported:
    """A spamdyke.conf with the files above."""
    return import_spamdyke("spamdyke.conf", text, FILES.get)


def parameters(text: str) -> dict[str, str]:
    """What main.cf says then, its blanks made one each."""
    found = settings("main.cf", imported(text).main_cf)
    return {one.name: " ".join(one.value.text.split()) for one in found}


def listed(text: str) -> str:
    """The restrictions behind those who have logged in."""
    return parameters(text)["smtpd_recipient_restrictions"].removeprefix("permit_sasl_authenticated").strip()


def not_said(text: str) -> list[str]:
    """The lines that are not said."""
    return [f"{one.where}: {one.what}" for one in imported(text).not_said]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reject-empty-rdns", "reject_unknown_reverse_client_hostname"),
        ("REJECT-EMPTY-RDNS = yes", "reject_unknown_reverse_client_hostname"),
        ("reject-empty-rdns\nreject-empty-rdns=no", ""),
        ("reject-empty-rdns=y", "reject_unknown_reverse_client_hostname"),
        ("reject-empty-rdns\nreject-empty-rdns=Never", ""),
        ("reject-unresolvable-rdns=1", "reject_unknown_client_hostname"),
        ("reject-sender=no-mx", "reject_unknown_sender_domain"),
        ("reject-missing-sender-mx", "reject_unknown_sender_domain"),
        ("reject-missing-sender-mx=no", ""),
        ("reject-sender=no-mx\nreject-sender=none", ""),
        ("dns-blacklist-entry=z.example\n" * 2 + "dns-blacklist-entry=!z.example", "reject_rbl_client z.example"),
        ("reject-sender=no-mx\nreject-sender=!no-mx", ""),
        ("dns-blacklist-entry=zen.example", "reject_rbl_client zen.example"),
        ("check-dnsrbl=zen.example", "reject_rbl_client zen.example"),
        ("dns-whitelist-entry=list.example", "permit_dnswl_client list.example"),
        ("rhs-whitelist-entry=list.example", "permit_rhswl_client list.example"),
        ("rhs-blacklist-entry=r.example", "reject_rhsbl_reverse_client r.example reject_rhsbl_sender r.example"),
        ("ip-blacklist-entry=192.0.2.0/23", "check_client_access inline:{ {192.0.2 = REJECT} {192.0.3 = REJECT} }"),
        ("ip-whitelist-entry=10.1.2-3.", "check_client_access inline:{ {10.1.2 = OK} {10.1.3 = OK} }"),
        ("ip-blacklist-entry=192.0.2.254/31", None),
        ("rdns-whitelist-entry=.example.net", "check_client_access inline:{ {example.net = OK} {.example.net = OK} }"),
        ("rdns-blacklist-entry=a.example", "check_reverse_client_hostname_access inline:{ {a.example = REJECT} }"),
        ("sender-whitelist-entry=a@example.net", "check_sender_access inline:{ {a@example.net = OK} }"),
        (
            "sender-blacklist-entry=@b.example",
            "check_sender_access inline:{ {b.example = REJECT} {.b.example = REJECT} }",
        ),
        ("recipient-blacklist-entry=joe@", "check_recipient_access inline:{ {joe@ = REJECT} }"),
        ("recipient-whitelist-entry=a@example.org", "check_recipient_access inline:{ {a@example.org = OK} }"),
        ("graylist-level=always-create-dir\ngraylist-dir=/var/g/", "check_greylist /var/g/db"),
        ("greylist-level=always\ngreylist-dir=/var/g", "check_greylist /var/g/db"),
        ("graylist-level=none\ngraylist-dir=/var/g", ""),
        ("graylist-level=always", ""),
        ("filter-level=normal", ""),
        ("config-file=/etc/spamdyke/more.conf", "reject_unknown_reverse_client_hostname"),
    ],
)
def test_a_restriction(text: str, expected: str | None) -> None:
    """Behind those who have logged in; all of it is said."""
    expected = expected if expected is not None else _octets(254, 255)

    assert (listed(text), not_said(text)) == (expected, [])


def _octets(*last: int) -> str:
    return "check_client_access inline:{ " + " ".join(f"{{192.0.2.{one} = REJECT}}" for one in last) + " }"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("idle-timeout-secs=180", "smtpd_timeout", "180s"),
        ("idle-timeout-secs=180\nidle-timeout-secs=60", "smtpd_timeout", "60s"),
        ("max-recipients=50", "smtpd_recipient_limit", "50"),
        ("qmail-rcpthosts-file=/q/control/rcpthosts", "qmail_control", "/q/control"),
        ("local-domains-file=/q/control/rcpthosts", "qmail_control", "/q/control"),
        ("tls-certificate-file=/c.pem", "smtpd_tls_security_level", "may"),
        ("tls-certificate-file=/c.pem\ntls-level=smtps", "smtpd_tls_wrappermode", "yes"),
        ("tls-certificate-file=/c.pem\ntls-privatekey-file=/k.pem", "smtpd_tls_key_file", "/k.pem"),
        ("relay-level=block-all\nip-relay-entry=10.0.0.0/8", "smtpd_relay_restrictions", "reject_unauth_destination"),
        ("relay-level=block-all\nip-relay-entry=10.0.0.0/8", "mynetworks", ""),
        ("ip-relay-entry=10.0.0.\nip-relay-entry=10.0.1.", "mynetworks", "10.0.0.0/24 10.0.1.0/24"),
        ("ip-relay-file=/etc/spamdyke/ip", "mynetworks", "203.0.113.4 192.0.2.0/23 10.1.2.0/23"),
        ("filter-level=reject-all\nsender-whitelist-entry=@a.example", "smtpd_recipient_restrictions", "reject"),
        ("filter-level=require-auth", "smtpd_recipient_restrictions", "permit_sasl_authenticated reject"),
    ],
)
def test_a_parameter(text: str, name: str, value: str) -> None:
    """Of which the last line counts; all of it is said."""
    assert (parameters(text)[name], not_said(text)) == (value, [])


def test_nothing_of_tls_without_a_certificate_or_with_level_none() -> None:
    """Whatever else stands there."""
    for text in ("tls-level=smtp", "tls-level=none\ntls-certificate-file=/c.pem"):
        assert (set(parameters(text)) - BASE, not_said(text)) == ({"smtpd_recipient_restrictions"}, [])


def test_logins_within_tls_alone() -> None:
    """By the first program; CRAM-MD5 only where it was offered."""
    tls, level = "tls-certificate-file=/c.pem\n", "smtp-auth-level=ondemand-encrypted\n"
    program = "smtp-auth-command=/bin/vchkpw /bin/true\n"
    found = parameters(tls + level + program)

    assert [found[f"smtpd_{name}"] for name in ("sasl_auth_enable", "sasl_type", "sasl_path", "tls_auth_only")] == [
        "yes",
        "checkpassword",
        "/bin/vchkpw /bin/true",
        "yes",
    ]
    assert found["smtpd_sasl_mechanism_filter"] == "plain, login, cram-md5"
    assert not_said(tls + level + program + program) == [f"spamdyke.conf:4: {program.strip()}"]
    assert not_said(level + program) == [f"spamdyke.conf:1: {level.strip()}"]
    assert not_said(level) == [f"spamdyke.conf:1: {level.strip()}"]
    assert "smtpd_sasl_auth_enable" not in parameters(tls + program)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", True), ("smtp-auth-level=none", False), ("smtp-auth-level=observe", False)],
)
def test_logins_of_a_patched_program(text: str, told: bool) -> None:
    """Without a level spamdyke leaves logins to qmail-smtpd: main.cf says that the gate does not."""
    assert ("# a patched qmail-smtpd is asked for no login" in imported(text).main_cf) == told


def test_greylisting_of_some_clients() -> None:
    """By a class of restrictions, for those whom the exceptions name; its times and its text."""
    text = "graylist-level=only\ngraylist-dir=/g\ngraylist-exception-ip-entry=192.0.2.\ngraylist-min-secs=300\n"
    found = parameters(f"{text}graylist-max-secs=86400\nrejection-text-graylist=Later")

    assert found["smtpd_restriction_classes"] == "greylisting"
    assert found["greylisting"] == "check_greylist /g/db"
    assert listed(text) == "check_client_access inline:{ {192.0.2 = greylisting} }"
    assert (found["greylist_delay"], found["greylist_max_age"], found["greylist_text"]) == ("300s", "86400s", "Later")


def test_whoever_is_on_a_whitelist_comes_before_all_that_refuses() -> None:
    """As in spamdyke, where one of them counts before any other list; the greylist is last."""
    text = "graylist-level=always\ngraylist-dir=/g\ngraylist-exception-rdns-entry=a.example\nreject-empty-rdns\n"
    text += "recipient-blacklist-entry=a@b\nrecipient-whitelist-entry=a@c\ndns-whitelist-entry=w.example\n"

    words = [word for word in listed(text).split() if word.startswith(("check_", "permit_", "reject_"))]

    assert words == [
        "check_recipient_access",
        "permit_dnswl_client",
        "reject_unknown_reverse_client_hostname",
        "check_recipient_access",
        "check_client_access",
        "check_greylist",
    ]


def test_the_words_of_a_refusal() -> None:
    """Where a table has them; a dollar is one in main.cf, too."""
    text = "ip-blacklist-entry=192.0.2.1\nrejection-text-ip-blacklist=No, for $5\n"

    assert listed(text) == "check_client_access inline:{ {192.0.2.1 = REJECT No, for $$5} }"
    assert not_said(f"{text}rejection-text-empty-rdns=No name") == [
        "spamdyke.conf:3: rejection-text-empty-rdns=No name"
    ]
    assert not_said("rejection-text-sender-blacklist=never heard") == []
    assert not_said("ip-blacklist-entry=192.0.2.1\nrejection-text-ip-blacklist={}") == [
        "spamdyke.conf:2: rejection-text-ip-blacklist={}"
    ]


def test_the_run_script_and_the_rules_stand_in_comments() -> None:
    """With the line that each word comes from."""
    text = "greeting-delay-secs=5\nrun-as-user=qmaild:nofiles\naccess-file=/etc/tcp.smtp\nlog-level=info\n"
    found = imported(f"{text}dns-server-ip=192.0.2.53\ndns-server-ip=192.0.2.54:53\nrdns-relay-entry=.example.org")

    assert found.not_said == ()
    assert "#     export DNSCACHEIP=192.0.2.53.192.0.2.54\n" in found.main_cf
    assert "pytcpserver -p -u qmaild -g nofiles -x /etc/tcp.smtp.cdb -v 0 smtp pyrblsmtpd -w 5 pysmtpgate" in (
        found.main_cf
    )
    assert '\n# rules: =.example.org:allow,RELAYCLIENT=""\n' in found.main_cf
    assert "#   pyrblsmtpd -w 5  # spamdyke.conf:1: greeting-delay-secs=5" in found.main_cf


def test_each_entry_of_a_file_has_its_line() -> None:
    """Before what it becomes."""
    found = imported("ip-whitelist-file=/etc/spamdyke/ip").main_cf.splitlines()

    place = found.index("# /etc/spamdyke/ip:2: 203.0.113.4")
    assert found[place + 1] == "      {203.0.113.4 = OK}"


@pytest.mark.parametrize(
    "line",
    [
        "foo=bar",
        "no setting at all",
        "reject-empty-rdns=perhaps",
        "tls-level=much",
        "max-recipients=many",
        "reject-sender=not-local",
        "reject-sender=authentication-mismatch",
        "reject-sender=authentication-domain-mismatch",
        "reject-recipient=same-as-sender",
        "reject-identical-sender-recipient",
        "reject-recipient=invalid",
        "recipient-validation-command=/usr/local/bin/spamdyke-qrv",
        "reject-ip-in-cc-rdns",
        "ip-in-rdns-keyword-blacklist-entry=dynamic",
        "ip-in-rdns-keyword-whitelist-file=/etc/spamdyke/names",
        "header-blacklist-entry=Subject: *pills*",
        "config-dir=/etc/spamdyke/dir",
        "rdns-blacklist-dir=/etc/spamdyke/dir",
        "connection-timeout-secs=3600",
        "smtp-auth-level=observe",
        "filter-level=allow-all",
        "relay-level=allow-all",
        "ip-relay-entry=0.0.0.0/0",
        "ip-relay-entry=10-20.",
        "ip-relay-entry==.example.org",
        "rdns-relay-entry=.com",
        "ip-blacklist-file=/etc/spamdyke/missing",
        "ip-relay-file=/etc/spamdyke/missing",
        "config-file=/etc/spamdyke/missing",
        "dns-blacklist-file=/etc/spamdyke/missing",
        "sender-blacklist-entry=no address",
        "ip-whitelist-entry=user@192.0.2.1",
        "dns-server-ip=192.0.2.53:5353",
        "dns-level=none",
        "qmail-rcpthosts-file=/etc/domains",
        "local-domains-entry=example.org",
        "policy-url=http://example.org/",
        "full-log-dir=/tmp",
        "tls-cipher-list=HIGH",
        "graylist-level=sometimes",
    ],
)
def test_what_is_not_said_is_named_with_its_line(line: str) -> None:
    """With the reason and what to do, in the result and in the text; nobody relays, and nobody is spared by it."""
    found = imported(f"\n{line}\n")

    (missing,) = found.not_said
    assert missing.where.startswith("spamdyke.conf:2")
    assert missing.why
    assert missing.remedy
    assert f"# not said: {missing}\n" in found.main_cf
    assert parameters(line)["mynetworks"] == ""
    assert "OK" not in listed(line)


def test_an_entry_of_a_file_that_is_not_said_is_named_where_it_stands() -> None:
    """And the others of the file are said."""
    text = "dns-blacklist-file=/etc/spamdyke/zones"

    assert not_said(text) == ["/etc/spamdyke/zones:2: no zone"]
    assert listed(text) == "reject_rbl_client zen.example"


def test_what_a_file_includes_counts_behind_all_that_stands_in_it() -> None:
    """As spamdyke reads it once it has read the whole file: so nobody relays here."""
    found = parameters("config-file=/etc/spamdyke/blocked.conf\nrelay-level=normal\nip-relay-entry=192.0.2.1")

    assert found["mynetworks"] == ""
    assert found["smtpd_relay_restrictions"] == "reject_unauth_destination"


def test_a_level_may_be_written_in_capitals() -> None:
    """Of its option as well as of its value."""
    found = parameters("RELAY-Level=Block-All\nip-relay-entry=192.0.2.1\nreject-sender=No-MX")

    assert found["mynetworks"] == ""
    assert found["smtpd_recipient_restrictions"].endswith("reject_unknown_sender_domain")


@pytest.mark.parametrize("option", ["rdns-whitelist-file", "sender-whitelist-file", "rdns-relay-file"])
def test_blanks_around_an_entry_of_a_file_are_part_of_it(option: str) -> None:
    """It matches nobody at spamdyke, and lets nobody in here."""
    text = f"{option}=/etc/spamdyke/blanks"

    assert listed(text) == ""
    assert "allow" not in imported(text).main_cf
    assert len(not_said(text)) == 3


@pytest.mark.parametrize(
    "option", [f"{who}-{kind}" for who in ("ip", "rdns") for kind in ("blacklist", "whitelist", "relay")]
)
def test_a_file_with_no_entry_is_no_fault(option: str) -> None:
    """It is noted with the rest that needs no word."""
    text = f"{option}-file=/etc/spamdyke/empty"

    assert not_said(text) == []
    assert f"# spamdyke.conf:1: {text}" in imported(text).main_cf


def test_lines_may_end_in_a_carriage_return_alone() -> None:
    """As in files of old."""
    both = "check_client_access inline:{ {mail.example.com = OK} {mail.example.net = OK} }"

    assert listed("rdns-whitelist-file=/etc/spamdyke/mac") == both
    assert listed("reject-empty-rdns\rreject-sender=no-mx").count("reject_unknown") == 2


def test_a_file_that_includes_itself_ends() -> None:
    """It is not read again, and named; however often it does so."""
    files, read = {"a": "config-file=b\n" * 9, "b": "config-file=a\nconfig-file=b\n" * 9}, []

    def noted(path: str) -> str | None:
        read.append(path)
        return files.get(path)

    found = import_spamdyke("a", files["a"], noted)

    assert {one.what for one in found.not_said} == {"config-file=a", "config-file=b"}
    assert read == 9 * ["b"]


@pytest.mark.parametrize("value", ["x\x0by", "x\udcff", "\x1b[2J"])
def test_a_line_that_is_no_text_is_not_said(value: str) -> None:
    """And is written so that no terminal and no main.cf takes it for anything else."""
    found = imported(f"tls-certificate-file={value}\n")

    assert len(found.not_said) == 1
    assert found.main_cf.isascii()
    assert set(parameters(f"tls-certificate-file={value}")) - BASE == {"smtpd_recipient_restrictions"}


#: Options with lists and values of their own, and what somebody may have written behind them.
OPTIONS = (
    *(
        f"{who}-{what}-entry"
        for who in ("ip", "rdns", "sender", "recipient", "dns", "rhs")
        for what in ("whitelist", "blacklist")
    ),
    *("ip-relay-entry", "rdns-relay-entry", "graylist-exception-ip-entry", "graylist-exception-rdns-entry"),
    *("graylist-level", "graylist-dir", "graylist-min-secs", "rejection-text-graylist", "rejection-text-ip-blacklist"),
    *("tls-certificate-file", "tls-level", "smtp-auth-level", "smtp-auth-command", "relay-level", "filter-level"),
    *("qmail-rcpthosts-file", "idle-timeout-secs", "max-recipients", "run-as-user", "access-file", "dns-server-ip"),
)
VALUES = st.sampled_from(
    [
        *(
            "",
            "!!!",
            "yes",
            "always",
            "only-create-dir",
            "ondemand",
            "smtps",
            "allow-all",
            "block-all",
            "reject-all",
            "0",
        ),
        *(
            "10.0.0.0/8",
            "0.0.0.0/0",
            "1-200.",
            "256.1.1.1",
            "=name",
            ".com",
            "@a.example",
            "a@b.example",
            "/etc/x",
            "5",
        ),
        *("$x ${y}", "{a = OK}", "} permit", "a, b", "= OK", '"q"', "\\", "# x", "permit_mynetworks", "2026-01-01"),
    ]
) | st.text(max_size=12)


@given(st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES), max_size=12))
def test_whatever_is_written_there_it_is_a_main_cf_that_opens_no_relay(lines: list[tuple[str, str]]) -> None:
    """One that a gate takes, in which each line has its place, and the relay check is as it was."""
    found = imported("".join(f"{option}={value}\n" for option, value in lines))
    said = settings("main.cf", found.main_cf)
    names = [one.name for one in said]

    configuration = Configuration(said)
    assert len(names) == len(set(names))
    restriction_settings(configuration, lambda: ())
    assert {one.value.text for one in said if one.name == "smtpd_relay_restrictions"} <= RELAY_CHECKS
    assert all(network.length >= 8 for network in configuration.gate_settings().mynetworks)
