"""main.cf and master.cf: whose words stand where, and what a gate makes of names that it does not have."""

import pytest

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import limits, refused, restriction_parameters
from ucspi_py.core.gate.language.configuration import Configuration, mentioned
from ucspi_py.core.gate.language.master import service_settings
from ucspi_py.core.gate.language.parameter import Parameter
from ucspi_py.core.gate.language.refused import Refused
from ucspi_py.core.gate.language.syntax import option, settings
from ucspi_py.core.gate.settings import EventLimits, GateSettings


def read(text: str, *options: str, master: str = "") -> Configuration:
    """The configuration of a file and options."""
    return Configuration([*settings("main.cf", text), *map(option, options)], "/etc/here", mentioned(master))


def complaint(text: str, *options: str) -> str:
    """What is wrong with a configuration."""
    with pytest.raises(AskedWrongly) as caught:
        read(text, *options).gate_settings()
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


def test_each_word_has_its_line() -> None:
    """Also behind comments, in what another parameter says, in a condition, and in a default."""
    text = "smtpd_sender_restrictions = permit_mynetworks, reject_a\n# x\n\n  reject_b,\n\t$more reject_c${x?\n"
    text += " reject_d}\nmore = reject_e\n  reject_f\nx = 1\n"
    words = read(text, "compatibility_level=2").words

    assert [(word.text, word.where.removeprefix("main.cf line ")) for word in words("smtpd_sender_restrictions")] == [
        *(("permit_mynetworks", "1"), ("reject_a", "1"), ("reject_b", "4"), ("reject_e", "7"), ("reject_f", "8")),
        *(("reject_c", "5"), ("reject_d", "6")),
    ]
    assert words("smtpd_relay_restrictions")[-1] == (
        "defer_unauth_destination",
        "default of smtpd_relay_restrictions",
    )


def test_a_word_in_two_places_has_the_first() -> None:
    """It begins there."""
    assert read("mydomain = x.example\nmyorigin =\n a.$mydomain\n").words("myorigin") == (
        ("a.x.example", "main.cf line 3"),
    )


def test_braces_make_one_word_over_lines() -> None:
    """Whatever stands in them."""
    text = "smtpd_client_restrictions = check_client_access inline:{ {a = OK},\n  b = REJECT },\n reject\n"

    assert [tuple(word) for word in read(text).words("smtpd_client_restrictions")] == [
        ("check_client_access", "main.cf line 1"),
        ("inline:{ {a = OK},  b = REJECT }", "main.cf line 1"),
        ("reject", "main.cf line 3"),
    ]
    assert [word.text for word in read("myorigin = a} b}c {d e\n").words("myorigin")] == ["a}", "b}c", "{d e"]


def test_the_value_of_a_banner_keeps_its_blanks() -> None:
    """Postfix puts nothing between the lines."""
    assert read("smtpd_banner = a  b \n   c\n").gate_settings().smtpd_banner == (b"a  b    c",)


def test_only_blanks_of_c_are_blanks() -> None:
    """Those of Unicode are parts of a word, as in Postfix."""
    assert read("myorigin = \u00a0x\u2003\n").text("myorigin") == "\u00a0x\u2003"
    assert read("myorigin \v=\f\v x \f\n").text("myorigin") == "x"
    assert [word.text for word in read("myorigin = a\u00a0b\vc\n").words("myorigin")] == ["a\u00a0b\vc"]
    for line in ("\u00a0# x", "\u00a0", "\x85", "myorigin\u00a0y"):
        assert f"main.cf line 2: '{line}' is not name = value" in complaint(f"\n{line}\n")
    assert "there is no parameter myorigin\u00a0" in complaint("myorigin\u00a0= x\n")
    assert complaint("\nmyorigin = a\0b\n") == "main.cf line 2: a null byte"


def test_a_banner_of_debian_is_taken() -> None:
    """With our name wherever it becomes known."""
    banner = read("smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\n").gate_settings().smtpd_banner

    assert banner == (b"", b" ESMTP Postfix (Debian/GNU)")


def test_names_of_the_operators_own_are_those_that_something_refers_to() -> None:
    """A value, master.cf, or smtpd_restriction_classes."""
    text = "mine = a\nmyorigin = $mine\nmua_x = b\nsmtpd_restriction_classes = strict, lax\nstrict = reject\nlax =\n"
    configuration = read(text, master="-o smtpd_helo_restrictions=$mua_x")

    assert configuration.text("mua_x") == "b"
    assert configuration.classes() == {"strict": (("reject", "main.cf line 5"),), "lax": ()}
    assert "main.cf line 3: there is no parameter mua_x" in complaint(text)


def test_a_class_that_is_not_set_is_refused() -> None:
    """With the place that names it."""
    with pytest.raises(AskedWrongly, match=r"^main.cf line 2: restriction class y is not set$"):
        read("smtpd_restriction_classes = x,\n y\nx = reject\n").classes()


def test_the_directory_of_the_file_is_config_directory() -> None:
    """As in Postfix; other directories are Debian's, and there are tables of hash."""
    text = read("virtual_mailbox_maps = $default_database_type:$config_directory/x $queue_directory\n").text

    assert text("virtual_mailbox_maps") == "hash:/etc/here/x /var/spool/postfix"


def test_users_of_the_system_make_a_list_of_users_unset() -> None:
    """We cannot tell who they are; tables alone can be asked."""
    read_tables = [
        read(f"local_recipient_maps = {text}\n").user_tables("local_recipient_maps")
        for text in ("proxy:unix:passwd.byname $alias_maps", "unix:passwd.byname, hash:/x", "hash:/etc/users", "")
    ]

    assert [[word.text for word in words] for words in read_tables] == [[], [], ["hash:/etc/users"], []]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("", ("", "yes", "a.example", "no")),
        ("1", ("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "no", "a.example", "no")),
        ("2", ("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "no", "", "no")),
        ("3.5.1", ("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "no", "", "no")),
        ("3.6", ("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "no", "", "yes")),
        ("3.10", ("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "no", "", "yes")),
    ],
)
def test_defaults_hang_on_the_level(level: str, expected: tuple[str, ...]) -> None:
    """A file without one has 0."""
    configuration = read("mydestination = a.example\n" + f"compatibility_level = {level}\n" * bool(level))

    names = (
        "smtpd_relay_restrictions",
        "append_dot_mydomain",
        "relay_domains",
        "smtpd_relay_before_recipient_restrictions",
    )
    assert tuple(map(configuration.text, names)) == expected


@pytest.mark.parametrize(
    "parameter", (*restriction_parameters.PARAMETERS, *limits.PARAMETERS), ids=lambda parameter: parameter.name
)
def test_a_parameter_of_the_lists_or_limits_has_a_sound_default(parameter: Parameter) -> None:
    """As Postfix has it."""
    assert 5 < len(parameter.explanation) <= 80
    configuration = read("myhostname = mx.example.org\n")

    assert configuration.where(parameter.name) == f"default of {parameter.name}"
    configuration.value(parameter.name)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("soft_bounce", "YES", True),
        ("unknown_address_tempfail_action", "defer", False),
        ("unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", True),
        ("defer_code", "451", 451),
        ("anvil_rate_time_unit", "2m", 120),
        ("smtpd_client_connection_count_limit", "0", 0),
    ],
)
def test_a_value_is_what_its_text_means(name: str, value: str, expected: object) -> None:
    """As Postfix reads it."""
    assert read(f"{name} = {value}\n").value(name) == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("soft_bounce", "1", "must be yes or no, not '1'"),
        ("reject_code", "250", "must be a number from 400 to 599"),
        ("reject_tempfail_action", "reject", "must be defer_if_permit or defer, not 'reject'"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(name: str, value: str, said: str) -> None:
    """As those of the gate are."""
    with pytest.raises(AskedWrongly, match=f"^main.cf line 2: {name} {said}"):
        read(f"\n{name} = {value}\n").value(name)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("smtpd_peername_lookup = ${x?no}\nx = 1", "main.cf line 2: smtpd_peername_lookup: option -H of pytcpserver"),
        ("smtpd_peername_lookup = NO", "does that; -o smtpd_peername_lookup=yes "),
        ("always_bcc = x@example.org", "the gate sends no copies"),
        ("smtpd_discard_ehlo_keywords = silent-discard, PIPELINING", "the gate needs PIPELINING"),
        ("smtpd_authorized_xclient_hosts = 127.0.0.1", "the gate takes no word of a client"),
        ("smtpd_upstream_proxy_protocol = haproxy", "option --proxy-from of pytcpserver does that"),
        ("smtpd_forbid_bare_newline_exclusions = 10.0.0.0/8", "the gate excepts mynetworks alone"),
        ("default_rbl_reply = $rbl_code no", "the gate has its own replies"),
        ("smtpd_forbidden_commands = GET USER", "leaves who says CONNECT, GET or POST"),
        ("smtpd_peername_lookup = no", "option -H of pytcpserver"),
    ],
)  # fmt: skip
def test_what_a_gate_cannot_do_is_refused_with_the_way_out(setting: str, said: str) -> None:
    """Never passed over."""
    assert said in complaint(f"\n{setting}\n")


@pytest.mark.parametrize("one", refused.REFUSED, ids=lambda one: one.name)
def test_the_way_out_is_one(one: Refused) -> None:
    """What the sentence says is taken."""
    sentence = complaint("", f"{one.name}={'no' if one.instead == 'yes' else 'yes'}")

    way_out = sentence.partition("; -o ")[2].removesuffix(" leaves it out")
    assert way_out.startswith(f"{one.name}=")
    assert read("", way_out).gate_settings() == GateSettings(event_limits=EventLimits(50))


def test_what_changes_nothing_is_taken() -> None:
    """Values that a gate has anyhow, and all that is of the queue."""
    text = "smtpd_sasl_auth_enable = no\nsmtpd_tls_security_level = may\nsmtpd_discard_ehlo_keywords = dsn, etrn\n"
    text += "mime_header_checks = $header_checks\nsmtpd_milters =\nsmtpd_tls_auth_only = no\nsmtpd_use_tls = yes\n"
    text += "smtpd_forbid_bare_newline_exclusions = $mynetworks\nsmtpd_forbidden_commands = CONNECT, GET, POST\n"
    text += "slow_destination_rate_delay = 1s\npolicyd-spf_time_limit = 3600\nfallback_relay = x\nmail_version = 3\n"
    text += "smtpd_sender_login_maps = mysql:/etc/postfix/senders.cf\ninet_interfaces = all\n"
    text += "virtual_transport = lmtp:unix:private/dovecot-lmtp\nsmtpd_helo_required = yes\n"

    assert read(text).gate_settings().smtp.helo_required


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("smtpd_recipients_restrictions = reject", "smtpd_recipient_restrictions"),
        ("smtpd_tsl_loglevel = 1", "smtpd_tls_loglevel"),
        ("smtp_helo_required = yes", "smtpd_helo_required"),
        ("unknow_local_recipient_reject_code = 450", "unknown_local_recipient_reject_code"),
        ("mynetwork = 10.0.0.0/8", "mynetworks"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(text: str, nearest: str) -> None:
    """Those that real files have."""
    name, *_ = text.split()

    assert complaint(f"\n{text}\n") == f"main.cf line 2: there is no parameter {name}; the nearest is {nearest}"


def test_a_value_cannot_grow_without_end() -> None:
    """Each refers twice to the next."""
    text = "".join(f"a{n} = $a{n + 1}$a{n + 1}\n" for n in range(40)) + "a40 =\nsmtpd_banner = $a0\n"
    deep = "".join(f"b{n} = $b{n + 1}\n" for n in range(200)) + "b200 =\nsmtpd_banner = $b0\n"

    assert "smtpd_banner has more than 10000 references" in complaint(text)
    assert "smtpd_banner refers to others through more than 100 levels" in complaint(deep)
    assert "more than 100 levels" in complaint(f"smtpd_banner = {'${myhostname?' * 150}{'}' * 150}\n")


_MASTER = """\
smtp inet n - y - 1 postscreen
smtpd pass - - y - - smtpd -o smtpd_timeout=7
submission inet n - y - - smtpd
  -o smtpd_timeout=5 -v
# x
  -osmtpd_banner=hi -vo mydomain=a.example
  -o { smtpd_recipient_limit = 6 }
smtps inet n - y - - smtpd -t 5 -o syslog_name=$x
odd inet n - y - - smtpd x
open inet n - y - - smtpd -o { a = b
bare inet n - y - - smtpd -o
name inet n - y - - smtpd -o x
"""


def test_a_service_has_its_options() -> None:
    """In the ways of getopt, over those of main.cf and below our own."""
    said = service_settings("master.cf", _MASTER, "submission")

    assert [(one.name, one.value.text, one.where) for one in said] == [
        ("smtpd_timeout", "5", "master.cf line 4"),
        ("smtpd_banner", "hi", "master.cf line 6"),
        ("mydomain", "a.example", "master.cf line 6"),
        ("smtpd_recipient_limit", "6", "master.cf line 7"),
    ]
    gate = Configuration([*settings("main.cf", "smtpd_timeout = 1\n"), *said, option("smtpd_recipient_limit=9")])
    assert (gate.gate_settings().smtp.timeout, gate.gate_settings().smtp.recipient_limit) == (5, 9)
    assert [one.name for one in service_settings("master.cf", _MASTER, "smtpd/pass")] == ["smtpd_timeout"]
    assert [one.name for one in service_settings("master.cf", _MASTER, "smtps")] == ["syslog_name"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("smtp", _MASTER, "smtpd has no service smtp; there are smtpd, submission, smtps, odd, open, bare, name"),
        ("submission/unix", "smtp inet n - y - - smtpd", "smtpd has no service submission/unix; there are smtp"),
        ("x", "", "smtpd has no service x"),
        ("x", "\nsmtp inet n - y\n", "master.cf line 2: a service has 7 fields before its command: 'smtp inet n - y'"),
        ("odd", _MASTER, "master.cf line 9: 'x' is no option of smtpd"),
        ("open", _MASTER, "master.cf line 10: '{ a = b' does not end in a brace"),
        ("bare", _MASTER, "master.cf line 11: nothing stands behind -o"),
        ("name", _MASTER, "master.cf line 12: 'x' is not name = value"),
    ],
)  # fmt: skip
def test_a_service_that_is_none_is_named(name: str, text: str, said: str) -> None:
    """With the services that there are."""
    with pytest.raises(AskedWrongly) as caught:
        service_settings("master.cf", text, name)
    assert caught.value.sentence == (said if said.startswith("master.cf") else f"master.cf: {said}")
