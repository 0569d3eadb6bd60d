"""An operator's words -> the settings of a gate, or a sentence that says where it went wrong."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import limits, passed_over
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.parameter import Parameter
from ucspi_py.core.gate.language.parameters import PARAMETERS
from ucspi_py.core.gate.language.syntax import option, settings
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.smtp.settings import BareNewline, SmtpSettings

TEN, DOC = Network(32, 10 << 24, 8), Network(128, 0x20010DB8 << 96, 32)


def asked(*options: str, file: str = "") -> GateSettings:
    """The settings of a file and options."""
    return Configuration([*settings("gate.cf", file), *map(option, options)]).gate_settings()


def complaint(*options: str, file: str = "") -> str:
    """What is wrong with them."""
    with pytest.raises(AskedWrongly) as caught:
        asked(*options, file=file)
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


def test_without_a_word_everything_is_as_by_default() -> None:
    """And each default is what its parameter takes for one; that of limits.COUNT holds with a file alone."""
    written = [one for one in PARAMETERS if one.default is not None and one.name != limits.COUNT]
    defaults = [f"{one.name}={one.default}" for one in written]

    assert asked() == GateSettings()
    assert asked(*defaults) == GateSettings()


def test_each_field_has_its_parameter() -> None:
    """None is left that nobody can set."""
    smtp = {one.field for one in PARAMETERS} & set(SmtpSettings.__slots__)
    gate = {one.field for one in PARAMETERS if one.field} - smtp

    assert smtp == set(SmtpSettings.__slots__)
    others = {"smtp", "restrictions", "event_limits", "dry_run", "content", "logins", "tls", "milters"}
    assert gate | others == set(GateSettings.__slots__)


def test_none_of_them_is_passed_over() -> None:
    """--check would say that it has no effect, as of slow_recipient_limit, which is of a transport."""
    assert {one.name for one in PARAMETERS if passed_over.reason(one.name)} == set()
    assert passed_over.reason("slow_recipient_limit")


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_each_is_explained_in_one_line(parameter: Parameter) -> None:
    """Short enough for a terminal."""
    assert 5 < len(parameter.explanation) <= 80
    assert parameter.explanation.isprintable()


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("smtpd_timeout=90", "timeout", 90),
        ("smtpd_timeout=5m", "timeout", 300),
        ("smtpd_timeout=1h", "timeout", 3600),
        ("smtpd_timeout=2d", "timeout", 172_800),
        ("smtpd_timeout=1w", "timeout", 604_800),
        ("smtpd_error_sleep_time=0s", "error_sleep_time", 0),
        ("smtpd_recipient_limit=1", "recipient_limit", 1),
        ("line_length_limit=512", "line_length_limit", 512),
        ("smtpd_helo_required=yes", "helo_required", True),
        ("smtpd_helo_required=YES", "helo_required", True),
        ("smtpd_forbid_unauth_pipelining=no", "forbid_unauth_pipelining", False),
        ("smtpd_forbid_bare_newline=no", "forbid_bare_newline", BareNewline.NO),
        ("smtpd_forbid_bare_newline=yes", "forbid_bare_newline", BareNewline.NORMALIZE),
        ("smtpd_forbid_bare_newline=Normalize", "forbid_bare_newline", BareNewline.NORMALIZE),
        ("smtpd_forbid_bare_newline_reject_code=421", "bare_newline_reject_code", 421),
    ],
)
def test_a_parameter_of_the_dialogue(option: str, field: str, value: object) -> None:
    """As Postfix reads it."""
    assert asked(option).smtp == replace(SmtpSettings(), **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("myhostname=mx.example.org", "myhostname", b"mx.example.org"),
        ("message_size_limit=0", "message_size_limit", 0),
        ("mynetworks=", "mynetworks", ()),
        ("mynetworks=192.0.2.7,\t[::1]", "mynetworks", (Network(32, 0xC0000207, 32), Network(128, 1, 128))),
        ("mynetworks=10.0.0.0/8 [2001:db8::]/32", "mynetworks", (TEN, DOC)),
        ("relay_domains=Example.ORG, example.net", "relay_domains", frozenset({b"example.org", b"example.net"})),
        ("relay_domains=", "relay_domains", frozenset()),
        ("qmail_control=/srv/control", "qmail_control", "/srv/control"),
        ("smtpd_banner=hello there", "smtpd_banner", (b"hello there",)),
        ("smtpd_banner=$myhostname ESMTP $$5", "smtpd_banner", (b"", b" ESMTP $5")),
    ],
)  # fmt: skip
def test_a_parameter_of_the_gate(option: str, field: str, value: object) -> None:
    """Lists are split as Postfix splits them."""
    assert asked(option) == replace(GateSettings(), **{field: value})  # type: ignore[arg-type]


def test_a_file_is_read_as_main_cf_is() -> None:
    """Comments between continuation lines, blanks around =, CRLF, no last line end, an equals sign in a value."""
    file = "# ours\r\n\r\nmynetworks   =  192.0.2.7,\r\n# the office\r\n\t192.0.2.8\r\n\r\n   192.0.2.9\r\n"
    file += "smtpd_banner=a = b"

    assert asked(file=file) == GateSettings(
        mynetworks=tuple(Network(32, 0xC0000200 + last, 32) for last in (7, 8, 9)), smtpd_banner=(b"a = b",)
    )


def test_the_last_one_counts() -> None:
    """Within a file, and an option over the file; what is overridden need not even be sound."""
    file = "smtpd_timeout = what\nsmtpd_timeout = 10\nsmtpd_recipient_limit = 5\n"

    assert asked("smtpd_recipient_limit=6", "smtpd_recipient_limit=7", file=file).smtp == SmtpSettings(
        timeout=10, recipient_limit=7
    )


@pytest.mark.parametrize("dollar", ["$myhostname", "${myhostname}", "${ myhostname }", "$(myhostname)"])
def test_a_name_is_replaced_by_its_value(dollar: str) -> None:
    """Whether it stands before or behind, and by a default, too."""
    file = f"relay_domains = {dollar}, x.example\nmyhostname = mx.example\n"
    file += "smtpd_hard_error_limit = $smtpd_soft_error_limit"
    settings = asked(file=file)

    assert settings.relay_domains == {b"mx.example", b"x.example"}
    assert settings.smtp.hard_error_limit == 10


def test_the_banner_may_have_our_name_before_it_is_known() -> None:
    """It is in control/me, and may change there."""
    assert asked("smtpd_banner=${myhostname} is $myhostname").smtpd_banner == (b"", b" is ", b"")
    assert asked("smtpd_banner=$myhostname ESMTP", "myhostname=mx.example").smtpd_banner == (b"mx.example ESMTP",)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("abc", "-o: 'abc' is not name = value"),
        ("=x", "-o: '=x' is not name = value"),
        ("smtpd_timeot=5", "-o: there is no parameter smtpd_timeot; the nearest is smtpd_timeout"),
        ("Smtpd_timeout=5", "-o: there is no parameter Smtpd_timeout; the nearest is smtpd_timeout"),
        ("zzz=5", "-o: there is no parameter zzz"),
        ("smtpd_timeout=abc", "-o: smtpd_timeout must be a time from 1s up, as in 90, 90s, 5m, 1h, 1d or 1w, not "),
        ("smtpd_timeout=0", "not '0'"),
        ("smtpd_timeout=", "not ''"),
        ("smtpd_timeout=99999999w", "not '99999999w'"),
        ("smtpd_recipient_limit=0", "-o: smtpd_recipient_limit must be a number from 1 to 999999999, not '0'"),
        ("smtpd_recipient_limit=-1", "not '-1'"),
        ("message_size_limit=10M", "not '10M'"),
        ("line_length_limit=100", "must be a number from 512 to 999999999"),
        ("smtpd_helo_required=true", "-o: smtpd_helo_required must be yes or no, not 'true'"),
        ("smtpd_forbid_bare_newline=note", "must be no or normalize or yes or reject, not 'note'"),
        ("smtpd_forbid_bare_newline_reject_code=250", "must be a number from 400 to 599, not '250'"),
        ("myhostname=", "-o: myhostname must be the name of a host, not ''"),
        ("myhostname=mx..example", "must be the name of a host"),
        ("smtpd_banner=", "-o: smtpd_banner must be a text, and it is empty"),
        ("smtpd_banner=a\nb", "must be printable ASCII characters, not 'a\\nb'"),
        ("qmail_control=", "must be a directory, and it is empty"),
        ("mynetworks=!10.0.0.0/8", "-o: mynetworks takes no exceptions, and '!10.0.0.0/8' is one"),
        ("mynetworks=hash:/etc/networks", "and 'hash:/etc/networks' is one: write here what it says"),
        ("mynetworks=/etc/networks", "'/etc/networks' is one"),
        ("mynetworks=10.0.0.1/8", "not '10.0.0.1/8': it has bits beyond its prefix; write 10.0.0.0/8"),
        ("mynetworks=[2001:db8::1]/32", "not '[2001:db8::1]/32': it has bits beyond its prefix; write [2001:db8::]/32"),
        ("mynetworks=10.0.0.0/255.0.0.0", "not '10.0.0.0/255.0.0.0': it is no network; write 10.0.0.0/8"),
        ("mynetworks=localhost", "not 'localhost': it is no network"),
        ("mynetworks=0.0.0.0/0", "-o: mynetworks takes no '0.0.0.0/0': everybody could relay"),
        ("mynetworks=[::]/0", "everybody could relay"),
        ("relay_domains=.example.org", "which stands for all below it too, and not '.example.org'"),
        ("relay_domains=a@example.org", "and not 'a@example.org'"),
        ("relay_domains=$myhostname", "-o: relay_domains refers to $myhostname, which must be set for that"),
        ("relay_domains=$mydestinaton", "and there is no parameter mydestinaton; the nearest is mydestination"),
        ("relay_domains=$zzz", "there is no parameter zzz; set it, if only to nothing: zzz ="),
        ("smtpd_banner=$smtpd_banner more", "-o: smtpd_banner refers to itself by $smtpd_banner"),
        ("smtpd_timeout=${stress?{10}x}s", "-o: smtpd_timeout takes {yes}:{no} behind a condition, and not 'x'"),
        ("smtpd_timeout=$message_size_limit", "refers to $message_size_limit, which is not set here: set it"),
        ("smtpd_banner=5 $", "takes $name and ${name}, and '$' is neither"),
        ("smtpd_banner=${myhostname", "smtpd_banner has no } for '{myhostname'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(option: str, said: str) -> None:
    """With the parameter, what was found and what was expected."""
    assert said in complaint(option)


def test_a_name_that_is_like_no_other_has_no_nearest() -> None:
    """Half of smtp_mx_address_limit is in it, and nobody means that."""
    assert complaint("smtpd_process_limit=5") == "-o: there is no parameter smtpd_process_limit; leave it out"


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("\n# x\n smtpd_timeout = 5\n", "gate.cf line 3: a blank at its start continues a line, and there is none"),
        ("smtpd_timeout 5\n", "'smtpd_timeout 5' is not name = value; to continue the line above it must begin with a"),
        ("x\nsmtpd_timeout = 5\n", "gate.cf line 1: 'x' is not name = value"),
        ("smtpd_timeout += 5\n", "gate.cf line 1: 'smtpd_timeout += 5' is not name = value"),
        ("mynetworks = 10.0.0.0/8\n relay_domains = a\n", "gate.cf line 1: mynetworks takes networks such as"),
        ("smtpd_timeout = 5\n\nsmtpd_helo_required = 1\n", "gate.cf line 3: smtpd_helo_required must be yes or no"),
        ("smtpd_timeout = 5 # ours\n", "gate.cf line 1: smtpd_timeout must be a time"),
        ("smtpd_helo_required = yes \\\n", "not 'yes \\'"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_line(file: str, said: str) -> None:
    """The one on which the parameter begins."""
    assert complaint(file=file).startswith(said) or said in complaint(file=file)


@given(st.text(max_size=60))
def test_a_file_of_anything_is_settings_or_a_complaint(text: str) -> None:
    """Nothing else becomes of it."""
    with contextlib.suppress(AskedWrongly):
        asked(file=text)


@given(st.sampled_from(PARAMETERS), st.text(max_size=60))
def test_any_value_is_a_setting_or_a_complaint(parameter: Parameter, text: str) -> None:
    """Of each parameter."""
    with contextlib.suppress(AskedWrongly):
        asked(f"{parameter.name}={text}")
