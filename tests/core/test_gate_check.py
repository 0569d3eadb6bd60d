"""--check: each trap of a main.cf is found, with its line, and what is nearly the same and right is not."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dnsbl import zone
from ucspi_py.core.dnsbl.health import Health
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.check.check import TRAPS, check
from ucspi_py.core.gate.check.entries import entries
from ucspi_py.core.gate.check.finding import Finding, Kind, error
from ucspi_py.core.gate.check.notes import pyrblsmtpd
from ucspi_py.core.gate.check.reading import Reading, read
from ucspi_py.core.gate.check.subject import Subject, Surroundings
from ucspi_py.core.gate.content.configured import content_settings
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.restriction_parameters import LISTS
from ucspi_py.core.gate.language.syntax import lenient_settings, option, settings
from ucspi_py.core.gate.maps.names import parse_map_name
from ucspi_py.core.gate.milter.configured import gate_milters
from ucspi_py.core.gate.restrictions.configured import restriction_settings
from ucspi_py.core.gate.restrictions.names import NEEDS, OLD_NAMES, REFUSED, Needs

LEVEL = "compatibility_level = 3.6\n"
RELAY, RECIPIENT = "smtpd_relay_restrictions", "smtpd_recipient_restrictions"
SENDER, CLIENT, DATA = "smtpd_sender_restrictions", "smtpd_client_restrictions", "smtpd_data_restrictions"
NO_RELAY_LIST = f"{RELAY} =\n"
LOGINS = "smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n"
OURS = "mydestination = ours.example\n"


class Case(NamedTuple):
    """A trap. found: of each finding its beginning and a part of it. right: nearly the same, and nothing is found."""

    name: str
    trap: str
    found: tuple[tuple[str, str], ...]
    right: str


def reading(text: str, *options: str) -> Reading:
    """What is read of a file and options."""
    said, flaws = lenient_settings("main.cf", text)
    return read([*said, *map(option, options)], "/etc/here", flaws=flaws)


def found(text: str, *options: str, around: Surroundings = Surroundings()) -> list[str]:  # noqa: B008  it is frozen
    """The errors and the warnings about a file."""
    return [str(one) for one in check(reading(text, *options), around) if one.kind is not Kind.NOTE]


def is_refused(text: str) -> bool:
    """Whether a gate does not start with a file."""
    try:
        configuration = Configuration(settings("main.cf", text), "/etc/here")
        configuration.gate_settings()
        if configuration.has_lists:
            restriction_settings(configuration)
        if configuration.has_checks:
            content_settings(configuration)
        if configuration.has_milters:
            gate_milters(configuration)
    except AskedWrongly:
        return True
    return False


def lists(name: str, *words: str) -> str:
    """A list at level 3.6, in lines 2, 3 and so on, behind a relay list that permits."""
    return LEVEL + f"{name} =\n" + "".join(f"  {word}\n" for word in words)


def open_to(*words: str) -> str:
    """A recipient list in lines 4 and so on, with no other relay check than its own."""
    return LEVEL + NO_RELAY_LIST + f"{RECIPIENT} =\n" + "".join(f"  {word}\n" for word in words)


CHECK = "reject_unauth_destination"
PASSES = "main.cf:{}: warning: mail of strangers for elsewhere passes by {}"

CASES = (
    Case(
        "T1 only a default that is not there",
        f"\n{RECIPIENT} = permit_mynetworks, reject_unlisted_recipient\n",
        (("main.cf:2: error: the relay check is missing", "compatibility_level is 0, and below 1"),),
        f"\n{RECIPIENT} = permit_mynetworks, reject_unlisted_recipient\ncompatibility_level = 1\n",
    ),
    Case(
        "T2 the relay list set to nothing",
        LEVEL + f"{RELAY} =\n{RECIPIENT} = permit_mynetworks, reject_unlisted_recipient\n",
        (("main.cf:2: error: the relay check is missing", f"{RELAY} is set to nothing"),),
        LEVEL + f"{RELAY} =\n{RECIPIENT} = permit_mynetworks, {CHECK}\n",
    ),
    Case(
        "T3 a table of senders before the relay check",
        open_to("permit_mynetworks", "check_sender_access inline:{a@b.example=OK}", CHECK),
        ((PASSES.format(5, "check_sender_access inline:{a@b.example=OK}, which permits a@b.example"), "say DUNNO"),),
        open_to("permit_mynetworks", "check_sender_access inline:{a@b.example=DUNNO}", CHECK),
    ),
    Case(
        "T3 a table of senders, and a relay list",
        open_to("check_sender_access inline:{a@b.example=OK}", CHECK),
        ((PASSES.format(4, "check_sender_access"), ""),),
        lists(RECIPIENT, "check_sender_access inline:{a@b.example=OK}", CHECK),
    ),
    Case(
        "T3 a table of HELO names before the relay check",
        open_to("check_helo_access inline:{b.example=1234}", CHECK) + "smtpd_helo_required = yes\n",
        ((PASSES.format(4, "check_helo_access"), "put it behind reject_unauth_destination"),),
        open_to(CHECK, "check_helo_access inline:{b.example=1234}") + "smtpd_helo_required = yes\n",
    ),
    Case(
        "T3 a table of clients before the relay check",
        open_to("check_client_access inline:{192.0.2.7=OK}", CHECK),
        ((PASSES.format(4, "check_client_access"), "name these clients in mynetworks"),),
        open_to("check_client_access inline:{192.0.2.7=REJECT}", CHECK),
    ),
    Case(
        "T3 a table of recipients before the relay check",
        OURS + open_to("check_recipient_access inline:{{postmaster@=OK}, {ours.example=OK}}", CHECK),
        ((PASSES.format(5, "check_recipient_access"), "which permits postmaster@,"),),
        OURS + open_to("check_recipient_access inline:{{postmaster@ours.example=OK}, {ours.example=OK}}", CHECK),
    ),
    Case(
        "T3 a table without a name",
        open_to("inline:{other.example=OK}", CHECK),
        ((PASSES.format(4, "inline:{other.example=OK}, which permits other.example"), ""),),
        open_to(CHECK, "inline:{other.example=OK}"),
    ),
    Case(
        "T3 a list in a table",
        open_to("check_sender_access inline:{a@b.example=strict}", CHECK)
        + "smtpd_restriction_classes = strict\nstrict = permit_mynetworks, permit\n",
        ((PASSES.format(4, "check_sender_access"), ""),),
        open_to("check_sender_access inline:{a@b.example=strict}", CHECK)
        + "smtpd_restriction_classes = strict\nstrict = permit_mynetworks, reject\n",
    ),
    Case(
        "T4 a policy service before the relay check",
        open_to("check_policy_service { inet:127.0.0.1:10023, timeout=10s }", CHECK),
        ((PASSES.format(4, "check_policy_service"), "an OK of the service relays"),),
        open_to(CHECK, "check_policy_service { inet:127.0.0.1:10023, timeout=10s }"),
    ),
    Case(
        "a policy service with more time than there is",
        f"{RELAY} = {CHECK}, check_policy_service unix:p\nsmtpd_policy_service_timeout = 100s\n",
        (("main.cf:1: warning: policy service unix:p has 100 seconds, and no command waits for", "set timeout=20s"),),
        f"{RELAY} = {CHECK}, check_policy_service {{ unix:p, timeout=20s }}\nsmtpd_policy_service_timeout = 100s\n",
    ),
    Case(
        "T5 everybody in mynetworks",
        "mynetworks = 127.0.0.0/8\n  0.0.0.0/0\n",
        (
            ("main.cf:1: error: mynetworks takes no '0.0.0.0/0': everybody could relay", ""),
            ("main.cf:2: warning: mynetworks: a /8 of public addresses or more may relay", "name the hosts"),
        ),
        "mynetworks = 127.0.0.0/8\n  192.0.2.0/24\n",
    ),
    Case(
        "T5 all private networks of a kind",
        "mynetworks = 127.0.0.0/8\n  10.0.0.0/8 192.168.0.0/16\n",
        (
            ("main.cf:2: warning: mynetworks: 10.0.0.0/8 also holds the gateways of containers", ""),
            ("main.cf:2: warning: mynetworks: 192.168.0.0/16 also holds the gateways of containers", ""),
        ),
        "mynetworks = 127.0.0.0/8\n  10.1.0.0/16 192.168.7.0/24 [fd12:3456:789a::]/48\n",
    ),
    Case(
        "a container's gateway in mynetworks",
        "mynetworks = 172.17.0.0/16\n",
        (("main.cf:1: warning: mynetworks: 172.17.0.0/16 holds 172.17.0.1, Docker's gateway", "in a container"),),
        "mynetworks = 172.17.0.128/25\n",
    ),
    Case(
        "a proxy in mynetworks",
        "mynetworks = 192.0.2.0/24\nproxy_interfaces = 192.0.2.80\n",
        (("main.cf:1: warning: mynetworks: 192.0.2.0/24 holds 192.0.2.80 of proxy_interfaces", "take it out"),),
        "mynetworks = 192.0.2.0/26\nproxy_interfaces = 192.0.2.80\nsmtpd_authorized_xforward_hosts = $mynetworks\n",
    ),
    Case(
        "T6 pipelining where it has no effect",
        lists(CLIENT, "reject_unauth_pipelining"),
        ((f"main.cf:3: warning: reject_unauth_pipelining in {CLIENT} has no effect", f"put it into {DATA}"),),
        lists(DATA, "reject_unauth_pipelining"),
    ),
    Case(
        "T7 dead zones",
        lists(RECIPIENT, "reject_rbl_client dul.dnsbl.sorbs.net", "reject_rbl_client sbl-xbl.spamhaus.org"),
        (
            ("main.cf:3: warning: zone dul.dnsbl.sorbs.net has been dead since 2024", "take it out"),
            ("main.cf:4: warning: zone sbl-xbl.spamhaus.org is a part of another one", "use zen.spamhaus.org"),
        ),
        lists(RECIPIENT, "reject_rbl_client bl.example", "reject_rbl_client zen.spamhaus.org"),
    ),
    Case(
        "T7 a dead zone of postscreen",
        "postscreen_dnsbl_sites = bl.example*2\n  relays.ordb.org=127.0.0.[2..4]*3\n",
        (("main.cf:2: warning: zone relays.ordb.org has been dead since 2006", ""),),
        "postscreen_dnsbl_sites = bl.example*2\n  ordb.org.example*3\n",
    ),
    Case(
        "T8 zones that are asked about our own users",
        "mynetworks = 192.0.2.0/24\n" + lists(CLIENT, "reject_rbl_client bl.example"),
        ((f"main.cf:4: warning: reject_rbl_client in {CLIENT} may refuse our own users", "put permit_mynetworks"),),
        "mynetworks = 192.0.2.0/24\n" + lists(CLIENT, "permit_mynetworks", "reject_rbl_client bl.example"),
    ),
    Case(
        "T8 this host alone is no user",
        "mynetworks = 127.0.0.0/8 192.0.2.1\n" + lists(CLIENT, "reject_rbl_client bl.example"),
        (("main.cf:4: warning: reject_rbl_client", ""),),
        "mynetworks = 127.0.0.0/8\n" + lists(CLIENT, "reject_rbl_client bl.example"),
    ),
    Case(
        "T9 old names",
        lists(SENDER, "reject_unknown_address", "Reject_RBL bl.example"),
        (
            ("main.cf:3: warning: reject_unknown_address is an old name", "write reject_unknown_sender_domain"),
            ("main.cf:4: warning: Reject_RBL is an old name", "write reject_rbl_client"),
        ),
        lists(SENDER, "reject_unknown_sender_domain", "reject_rbl_client bl.example"),
    ),
    Case(
        "T9 names that are gone",
        lists(RECIPIENT, CHECK, "reject_maps_rbl", "check_relay_domains"),
        (
            ("main.cf:4: error: reject_maps_rbl: Postfix 3.9 has it no longer", "use reject_rbl_client"),
            ("main.cf:5: error: check_relay_domains: Postfix 3.9 has it no longer", "use reject_unauth_destination"),
        ),
        lists(RECIPIENT, CHECK, "reject_rbl_client bl.example"),
    ),
    Case(
        "T10 passwords without TLS",
        "smtpd_sasl_auth_enable = yes\n",
        (("main.cf:1: warning: passwords may cross the net in clear text", "set smtpd_tls_auth_only = yes"),),
        "smtpd_sasl_auth_enable = no\n",
    ),
    Case(
        "T11 what has no effect beside the level of TLS",
        "smtpd_use_tls = yes\nsmtpd_tls_security_level = may\nsmtpd_tls_dh512_param_file = /etc/dh512\n"
        "smtpd_tls_cert_file = /etc/mx.pem\n",
        (
            ("main.cf:1: warning: smtpd_use_tls has no effect beside smtpd_tls_security_level", "leave it out"),
            ("main.cf:3: warning: smtpd_tls_dh512_param_file has no effect", ""),
        ),
        "smtpd_tls_security_level = may\nsmtpd_tls_dh1024_param_file = /etc/dh\nsmtpd_tls_cert_file = /etc/mx.pem\n",
    ),
    Case(
        "T11 TLS without keys",
        "smtpd_tls_security_level = may\n",
        (("main.cf:1: warning: no TLS is offered: smtpd_tls_chain_files is not set", "set smtpd_tls_chain_files"),),
        "smtpd_tls_security_level = may\nsmtpd_tls_eccert_file = /etc/mx.pem\n",
    ),
    Case(
        "T12 HELO is checked and not required",
        lists("smtpd_helo_restrictions", "reject_invalid_helo_hostname", "reject_non_fqdn_helo_hostname"),
        (("main.cf:3: warning: reject_invalid_helo_hostname in smtpd_helo_restrictions", "_required = yes"),),
        lists("smtpd_helo_restrictions", "reject_invalid_helo_hostname") + "smtpd_helo_required = yes\n",
    ),
    Case(
        "T13 clients without a name are refused",
        lists(CLIENT, "reject_unknown_client_hostname"),
        (("main.cf:3: warning: reject_unknown_client_hostname", "put warn_if_reject before it"),),
        lists(CLIENT, "warn_if_reject reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname"),
    ),
    Case(
        "T14 misspelled restrictions",
        lists(RECIPIENT, "reject_unauth_destinations", "permit_my_networks", "check_sender_acces inline:{a=OK}")
        + f"{RELAY} =\n",
        (
            ("main.cf:3: error: there is no restriction 'reject_unauth_destinations'", f"the nearest is {CHECK}"),
            ("main.cf:4: error: there is no restriction 'permit_my_networks'", "nearest is permit_mynetworks"),
            ("main.cf:5: error: there is no restriction 'check_sender_acces'", "nearest is check_sender_access"),
            ("main.cf:6: error: the relay check is missing", ""),
        ),
        lists(RECIPIENT, CHECK, "permit_mynetworks", "check_sender_access inline:{a=OK}") + f"{RELAY} =\n",
    ),
    Case(
        "T14 misspelled parameters",
        "smtpd_recipients_restrictions = permit_mynetworks\nsmtpd_tsl_loglevel = 1\n",
        (
            ("main.cf:1: error: there is no parameter smtpd_recipients_restrictions", f"the nearest is {RECIPIENT}"),
            ("main.cf:2: error: there is no parameter smtpd_tsl_loglevel", "the nearest is smtpd_tls_loglevel"),
        ),
        LEVEL + "smtpd_recipient_restrictions = permit_mynetworks\nsmtpd_tls_loglevel = 1\n",
    ),
    Case(
        "T15 too early",
        "smtpd_delay_reject = no\n" + lists(CLIENT, "check_recipient_access static:REJECT", "reject_non_fqdn_sender"),
        (
            (f"main.cf:4: warning: check_recipient_access in {CLIENT} is never asked", f"put it into {RECIPIENT}"),
            (f"main.cf:5: warning: reject_non_fqdn_sender in {CLIENT} is never asked", f"put it into {SENDER}"),
        ),
        lists(CLIENT, "check_recipient_access inline:{a=REJECT}", "reject_non_fqdn_sender"),
    ),
    Case(
        "T15 the relay check before there is a recipient",
        LEVEL + f"{SENDER} = {CHECK}\nsmtpd_delay_reject = no\n{RELAY} =\n{RECIPIENT} = permit_mynetworks\n",
        (
            (f"main.cf:2: warning: {CHECK} in {SENDER} is never asked", ""),
            ("main.cf:4: error: the relay check is missing", ""),
        ),
        LEVEL + f"smtpd_delay_reject = no\n{RELAY} =\n{RECIPIENT} = permit_mynetworks, {CHECK}\n",
    ),
    Case(
        "T15 too late",
        lists(DATA, "reject_unlisted_recipient", "check_etrn_access inline:{a=REJECT}"),
        (
            (f"main.cf:3: warning: reject_unlisted_recipient in {DATA} is passed over", f"put it into {RECIPIENT}"),
            ("main.cf:4: warning: check_etrn_access is never asked", ""),
        ),
        lists(DATA, "reject_non_fqdn_sender", "reject_multi_recipient_bounce"),
    ),
    Case(
        "T15 a bounce to several, one at a time",
        lists(RECIPIENT, "reject_multi_recipient_bounce"),
        ((f"main.cf:3: warning: reject_multi_recipient_bounce in {RECIPIENT} does not see", f"put it into {DATA}"),),
        lists("smtpd_end_of_data_restrictions", "reject_multi_recipient_bounce"),
    ),
    Case(
        "T16 left from the sample file",
        "unknown_local_recipient_reject_code = 450\n",
        (("main.cf:1: warning: unknown_local_recipient_reject_code = 450", "set 550"),),
        "unknown_local_recipient_reject_code = 550\nunknown_address_reject_code = 450\n",
    ),
    Case(
        "T17 set twice",
        "smtpd_timeout = 5\nmyhostname = a.example\nsmtpd_timeout = 6\n",
        (("main.cf:1: warning: smtpd_timeout is overridden by main.cf line 3", "leave one of the two out"),),
        "smtpd_timeout = 6\nmyhostname = a.example\nsmtpd_timeout = 6\n",
    ),
    Case(
        "T18 an end before the end",
        lists(SENDER, "permit_mynetworks", "permit", "reject_non_fqdn_sender"),
        ((f"main.cf:5: warning: in {SENDER} nobody comes by what stands behind permit of main.cf line 4", ""),),
        lists(SENDER, "permit_mynetworks", "reject_non_fqdn_sender", "warn_if_reject reject", "permit"),
    ),
    Case(
        "T18 permit before the relay check",
        open_to("permit_mynetworks", "permit", CHECK),
        (
            ("main.cf:2: error: the relay check is missing", "not behind permit"),
            (PASSES.format(5, "permit and"), "put the relay check before it"),
            (f"main.cf:6: warning: in {RECIPIENT} nobody comes by", ""),
        ),
        open_to("permit_mynetworks", CHECK, "permit"),
    ),
    Case(
        "T19 call-outs",
        lists(RECIPIENT, "reject_unverified_recipient", "reject_unverified_sender"),
        (
            ("main.cf:3: error: reject_unverified_recipient: the gate asks no other server", "relay_recipient_maps"),
            ("main.cf:4: error: reject_unverified_sender: the gate asks no other server", "in a table"),
        ),
        lists(RECIPIENT, "reject_unlisted_recipient", "reject_unlisted_sender"),
    ),
    Case(
        "S2 an indented line",
        "myhostname = a.example\nsmtpd_banner = hello\n  smtpd_helo_required = yes\n# a comment\n",
        (("main.cf:3: warning: smtpd_helo_required is not set here", "a part of smtpd_banner; take the blank away"),),
        "myhostname = a.example\nsmtpd_banner = hello\n  world = yes\nsmtpd_helo_required = yes\n",
    ),
    Case(
        "S2 an indented line behind an empty one",
        "myhostname = a.example\nmyorigin =\n\n\tsoft_bounce = yes\n",
        (("main.cf:4: warning: soft_bounce is not set here", ""),),
        "myhostname = a.example\nmyorigin =\n\n\ta.example\n",
    ),
    Case(
        "an own domain, permitted as a sender",
        OURS + lists(SENDER, "check_sender_access inline:{{x.example=OK}, {boss@ours.example=OK}}"),
        (
            (
                "main.cf:4: warning: inline:{{x.example=OK}, {boss@ours.example=OK}} permits boss@ours.example",
                "any stranger may write; use permit_mynetworks",
            ),
        ),
        OURS + lists(SENDER, "check_sender_access inline:{{x.example=OK}, {boss@ours.example=REJECT}}"),
    ),
    Case(
        "a value that means nothing",
        lists(SENDER, "check_sender_access inline:{a@b.example=HOLD}"),
        (("main.cf:3: warning: value of a@b.example: HOLD needs a queue", "451 4.3.5"),),
        lists(SENDER, "check_sender_access inline:{a@b.example=DISCARD}"),
    ),
    Case(
        "a table that cannot be read",
        lists(SENDER, "check_sender_access hash:/missing"),
        (("main.cf:3: warning: table hash:/missing was not read", "451 4.3.0"),),
        lists(SENDER, "check_sender_access static:DUNNO"),
    ),
    Case(
        "a greylist where there is no single recipient",
        lists(DATA, "check_greylist /g/db"),
        (("main.cf:3: warning: check_greylist in smtpd_data_restrictions is never asked", f"put it into {RECIPIENT}"),),
        lists(CLIENT, "check_greylist /g/db"),
    ),
    Case(
        "a greylist before there is a recipient",
        "smtpd_delay_reject = no\n" + lists(CLIENT, "check_greylist /g/db"),
        ((f"main.cf:4: warning: check_greylist in {CLIENT} is never asked", f"put it into {RECIPIENT}"),),
        "smtpd_delay_reject = no\n" + lists(RECIPIENT, f"check_greylist /g/db, {CHECK}"),
    ),
    Case(
        "parameters of a greylist that nobody asks",
        lists(RECIPIENT, CHECK) + "greylist_delay = 1m\n",
        (("main.cf:4: warning: greylist_delay has no effect", "no list has check_greylist"),),
        lists(RECIPIENT, f"{CHECK}, check_greylist /g/db") + "greylist_delay = 1m\n",
    ),
    Case(
        "a text that is longer than a reply",
        lists(RECIPIENT, f"{CHECK}, check_greylist /g/db") + f"greylist_text = {'x' * 201}\n",
        (("main.cf:4: warning: greylist_text is cut", "shorten it to 200"),),
        lists(RECIPIENT, f"{CHECK}, check_greylist /g/db") + f"greylist_text = {'x' * 200}\n",
    ),
    Case(
        "a milter that is listed twice",
        "smtpd_milters = inet:localhost:1, unix:a,\n { inet:127.0.0.1:1, connect_timeout=1s } local:a\n",
        (
            ("main.cf:2: warning: milter inet:127.0.0.1:1 is listed twice", "leave one out"),
            ("main.cf:2: warning: milter local:a is listed twice", "leave one out"),
        ),
        "smtpd_milters = inet:localhost:1, unix:a, inet:localhost:2, unix:/a\n",
    ),
    Case(
        "macros that milters decide by",
        "smtpd_milters = unix:a\nmilter_connect_macros = _\nmilter_mail_macros = i\n" + LOGINS,
        (
            ("main.cf:2: warning: milter_connect_macros is without j", "Authentication-Results"),
            ("main.cf:3: warning: milter_mail_macros is without {auth_type}", "opendkim signs for nobody"),
            ("main.cf:3: warning: milter_mail_macros is without {auth_authen}", "add {auth_authen}"),
        ),
        "smtpd_milters = unix:a\nmilter_connect_macros = j\nmilter_mail_macros = i\n",
    ),
    Case(
        "an old version of the milter protocol",
        "milter_protocol = 2\nsmtpd_milters = unix:a, unix:b,\n { unix:c, protocol=4 }\n",
        (
            ("main.cf:1: warning: version 2 does not tell milters", "set milter_protocol = 6"),
            ("main.cf:3: warning: version 4 does not tell milters", "set milter_protocol = 6"),
        ),
        "milter_protocol = 6\nsmtpd_milters = unix:a\n",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_trap_is_found(case: Case) -> None:
    """Each with its line, and nothing else."""
    said = found(case.trap)

    assert len(said) == len(case.found), said
    for line, (beginning, part) in zip(said, case.found, strict=True):
        assert line.startswith(beginning)
        assert part in line


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_nearly_the_same_and_right_is_none(case: Case) -> None:
    """Nobody reads warnings that are wrong."""
    assert found(case.right) == []


def test_every_trap_has_a_case() -> None:
    """So that each case above would fail without its own."""
    of_cases = [Subject(reading(case.trap), Surroundings(zones=None)) for case in CASES]
    elsewhere = {"unknown_to_backend", "unchecked_passwords", "wrong_checks", "wrong_milters", "postscreen"}
    elsewhere |= {"ledger", "unusable", "answers", "unscanned"}

    silent = {trap.__name__ for trap in TRAPS if not any(any(trap(subject)) for subject in of_cases)}

    assert silent == elsewhere


@pytest.mark.parametrize(
    ("around", "said"),
    [
        (Surroundings(), []),
        (
            Surroundings(is_ledger_open=True),
            ["main.cf:1: warning: anybody may write relay_store, and relay then; take that right away (chmod o-w)"],
        ),
        (
            Surroundings(ledger="file does not exist"),
            ["main.cf:1: warning: no grant counts: unable to read relay_store: file does not exist"],
        ),
    ],
)
def test_a_ledger_that_lets_everybody_relay_or_nobody(around: Surroundings, said: list[str]) -> None:
    """By the rights of its file."""
    assert found("relay_store = /var/lib/relay/db\n", around=around) == said


def test_what_keeps_a_greylist_from_its_work() -> None:
    """Of its whitelists and of its store."""
    text = lists(RECIPIENT, f"{CHECK}, check_greylist /g/db")
    flaws = ("/etc/white line 2: no", "nobody waits while /g/db cannot be written: Permission denied")

    assert found(text, around=Surroundings(greylist=flaws)) == [f"main.cf:3: warning: {flaw}" for flaw in flaws]


def test_all_errors_are_named_and_not_the_first_alone() -> None:
    """With those of lines that are no settings, of names, of values, of lists, of classes and of domains."""
    text = "foo\nbar = 1\nsmtpd_timeout = x\nheader_checks = mysql:/h\nmydestination = mysql:/d /etc/domains\n"
    text += "smtpd_restriction_classes = one, two\none = permit_al, two\ntwo = one\n"
    text += f"{CLIENT} = one, permti\n{DATA} = hash:/x, warn_if_reject\nlocal_recipient_maps = ldap:/l\n"

    said = found(text + f"{RECIPIENT} = {CHECK}\n", "smtpd_banner=\t")

    errors = [line for line in said if ": error: " in line]
    assert [line.partition(" error: ")[0] for line in errors] == [
        *(f"main.cf:{line}:" for line in (1, 2, 3, 4, 5, 5, 7, 7, 8, 9, 10, 10, 11)),
        "-o:",
    ]


@pytest.mark.parametrize("text", ["\n x\n", "a\0b\n", "smtpd_banner = $nobody\n", "smtpd_restriction_classes = $x\n"])
def test_an_error_of_the_file_is_one(text: str) -> None:
    """Nothing of it ends the check."""
    said = found(text)

    assert len(said) == 1
    assert " error: " in said[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_has_no_error_is_taken(case: Case) -> None:
    """And what has one is not: --check and a start say the same."""
    for text in (case.trap, case.right):
        is_wrong = any(": error: " in line for line in found(text))
        assert is_wrong == is_refused(text)


def test_logins_with_tls_are_no_trap() -> None:
    """But own users need their permission before a zone."""
    text = "smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n"

    assert not any("clear text" in line for line in found(text))
    said = found(text + lists(CLIENT, "permit_mynetworks", "reject_rbl_client bl.example"))
    assert any("put permit_sasl_authenticated before it, in the same list" in line for line in said)


@pytest.mark.parametrize(
    ("source", "passes"),
    [
        (b"/@ours\\.example$/ OK\n", False),
        (b"/^boss@ours\\.example$/ OK\n/@other\\.example$/ REJECT\n", False),
        (b"/@ours\\.example/ OK\n", True),
        (b"/@ours.example$/ OK\n", True),
        (b"/^boss@|@ours\\.example$/ OK\n", True),
        (b"/^postmaster@/ OK\n", True),
        (b"!/@ours\\.example$/ OK\n", True),
        (b"if /@/\n/@ours\\.example$/ OK\nendif\n", False),
    ],
)
def test_an_expression_may_match_others(source: bytes, passes: bool) -> None:
    """One that ends in a domain of ours does not."""
    name = parse_map_name("regexp:/r")
    around = Surroundings(tables={name: entries("regexp", source)})

    said = found(OURS + open_to("check_recipient_access regexp:/r", CHECK), around=around)

    assert bool(said) == passes
    assert all("which permits" in line and "in line 1" in line for line in said)


@pytest.mark.parametrize(
    ("kind", "source", "line"),
    [
        ("hash", b"# x\na@b.example REJECT\nc@d.example\n  OK\n", 3),
        ("cidr", b"192.0.2.0/24 DUNNO\n198.51.100.0/24\tOK\n", 2),
        ("pcre", b"/x/ REJECT\n/y/ 550 no\n\n/z/ OK\n", 4),
    ],
)
def test_the_entry_that_permits_is_named(kind: str, source: bytes, line: int) -> None:
    """With its line in the table."""
    around = Surroundings(tables={parse_map_name(f"{kind}:/t"): entries(kind, source)})

    said = found(open_to(f"check_client_access {kind}:/t", CHECK), around=around)

    assert len(said) == 1
    assert f"in line {line}, and only" in said[0]


def test_a_table_that_cannot_be_read_may_permit() -> None:
    """And the proof says so."""
    said = found(open_to("check_sender_access hash:/t", CHECK))

    assert any("passes by any OK in check_sender_access hash:/t, which cannot be read now," in line for line in said)


@pytest.mark.parametrize(
    "text",
    [
        open_to("static:REJECT", "permit"),
        open_to("check_reverse_client_hostname_access inline:{a=OK}", CHECK),
        open_to("defer_if_permit", "check_sender_access inline:{a@b.example=OK}", CHECK),
        open_to("check_sender_access inline:{a@b.example=OK}", CHECK) + f"{CLIENT} = permit_mynetworks, reject\n",
        open_to("permit_dnswl_client al.example", "permit_auth_destination", CHECK),
        open_to("strict", "permit") + f"smtpd_restriction_classes = strict\nstrict = {CHECK}\n",
    ],
)
def test_what_no_stranger_comes_by_is_no_open_relay(text: str) -> None:
    """Another restriction refuses before."""
    assert not any("mail of strangers" in line for line in found(text))


def test_a_warning_about_the_relay_check_is_none() -> None:
    """warn_if_reject takes the check away, also before a class."""
    for words in ((f"warn_if_reject {CHECK}",), ("warn_if_reject strict",)):
        text = open_to(*words, "check_sender_access inline:{a@b.example=OK}", CHECK)
        text += f"smtpd_restriction_classes = strict\nstrict = {CHECK}\n"

        assert any("mail of strangers for elsewhere passes by check_sender_access" in line for line in found(text))


def test_the_gateway_of_this_container_is_named() -> None:
    """In networks that are ours elsewhere."""
    text = "mynetworks = 192.0.2.0/24\n  198.51.100.0/24 [2001:db8::]/64\n"
    around = Surroundings(gateways=(b"198.51.100.1", b"2001:db8::1"))

    said = found(text, around=around)

    assert [line.partition(", from")[0] for line in said] == [
        "main.cf:2: warning: mynetworks: 198.51.100.0/24 holds 198.51.100.1, the gateway of this container",
        "main.cf:2: warning: mynetworks: [2001:db8::]/64 holds 2001:db8::1, the gateway of this container",
    ]


def test_a_domain_that_the_backend_lacks_is_named() -> None:
    """Where its rcpthosts can be read; not localhost, and not what is a table."""
    text = "relay_domains = here.example\n  there.example\nmydestination = localhost, inline:{x.example=1}\n"
    held = Surroundings(holds=lambda domain: domain == b"here.example")

    assert found(text, around=held) == [
        "main.cf:2: warning: there.example of relay_domains is not in rcpthosts, and qmail-smtpd refuses mail for it; "
        "add it to control/rcpthosts"
    ]
    assert found(text) == []


def test_a_zone_that_is_not_well_is_named() -> None:
    """With what its test has shown; of one that is dead that is known already."""
    text = lists(
        RECIPIENT, "reject_rbl_client all.example", "permit_dnswl_client slow.example", "reject_rbl_client well.example"
    )
    text += "postscreen_dnsbl_sites = empty.example*2, bl.njabl.org\n"
    tested = {
        b"all.example": Health(alarm="it lists 127.0.0.1"),
        b"slow.example": Health("timed out", remark="it cannot be asked: timed out"),
        b"well.example": Health(),
        b"empty.example": Health(remark="it does not list its test point"),
        b"bl.njabl.org": Health(alarm="it lists everybody"),
    }

    said = found(text, around=Surroundings(zones=tested))

    assert [line.partition(";")[0] for line in said] == [
        "main.cf:3: warning: zone all.example: it lists 127.0.0.1",
        "main.cf:4: warning: zone slow.example: it cannot be asked: timed out",
        "main.cf:6: warning: zone bl.njabl.org has been dead since 2013",
        "main.cf:6: warning: zone empty.example: it does not list its test point",
    ]


def test_without_dns_one_line_says_so() -> None:
    """And no zone is blamed; without zones nothing is said."""
    text = lists(RECIPIENT, "reject_rbl_client bl.example", "reject_rbl_client al.example")
    offline = Surroundings(zones=None)

    notes = [one for one in check(reading(text), offline) if one.kind is Kind.NOTE]

    assert list(map(str, notes)) == ["note: no name server answers, so no zone was asked whether it is well"]
    assert check(reading(""), offline) == ()


def test_notes_say_what_is_passed_over() -> None:
    """Once, with the line that counts."""
    notes = check(reading("max_use = 1\nsmtpd_tls_loglevel = 1\n", "max_use=2"), Surroundings())

    assert list(map(str, notes)) == [
        "main.cf:1: note: max_use is passed over: it belongs to the queue and its deliveries",
        "main.cf:2: note: smtpd_tls_loglevel is passed over: it changes nothing of the gate's TLS",
        "-o: note: max_use is passed over: it belongs to the queue and its deliveries",
    ]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("/etc/my line 2/main.cf line 30: x: y", Finding(Kind.ERROR, "/etc/my line 2/main.cf line 30", "x: y")),
        ("-o: x", Finding(Kind.ERROR, "-o", "x")),
        ("default of mydomain: x", Finding(Kind.ERROR, "default of mydomain", "x")),
        ("no place: x", Finding(Kind.ERROR, "", "no place: x")),
    ],
)
def test_the_place_of_an_error_is_found(sentence: str, expected: Finding) -> None:
    """Before what is wrong there."""
    assert error(sentence) == expected


def test_findings_are_in_the_order_of_lines() -> None:
    """By number: line 10 comes behind line 9."""
    text = "\n" * 8 + "x1 = 1\nx2 = 2\n" + "\n" * 89 + "x3 = 3\n"

    assert [line.partition(": ")[0] for line in found(text)] == ["main.cf:9", "main.cf:10", "main.cf:100"]


def test_postscreen_has_equal_words_of_pyrblsmtpd() -> None:
    """They are words that it takes."""
    text = "postscreen_greet_action = enforce\npostscreen_dnsbl_action = drop\npostscreen_dnsbl_threshold = 3\n"
    text += "postscreen_dnsbl_sites = zen.example.org=127.0.0.[2..11;40]*3\n  list.example.org*-2, bl.example.org\n"
    words = (
        "pyrblsmtpd -w 6 -T 3/3 -r 'zen.example.org=127.0.0.[2..11;40]*3' -r 'list.example.org*-2' -r bl.example.org"
    )

    assert pyrblsmtpd(reading(text).configuration) == words
    notes = list(map(str, check(reading(text), Surroundings())))
    assert f"note: postscreen does what these words before the gate do: {words}" in notes
    assert zone.parse("zen.example.org=127.0.0.[2..11;40]*3").weight == 3
    text = "postscreen_greet_action = drop\npostscreen_greet_wait = ${stress?{2}:{8}}s\n"
    assert pyrblsmtpd(reading(text).configuration) == "pyrblsmtpd -w 8"


@pytest.mark.parametrize(
    "text",
    [
        "postscreen_greet_wait = 3s\npostscreen_dnsbl_sites = bl.example.org\n",
        "postscreen_dnsbl_action = enforce\n",
        "postscreen_greet_action = ignore\n",
        "",
    ],
)
def test_a_postscreen_that_refuses_nobody_has_no_words(text: str) -> None:
    """Its actions are to ignore by default."""
    assert pyrblsmtpd(reading(text).configuration) == ""


def test_a_wait_of_postscreen_that_is_none_is_named() -> None:
    """Whoever reads the check wants to know."""
    said = found("postscreen_greet_action = drop\npostscreen_greet_wait = long\n")

    assert len(said) == 1
    assert said[0].startswith("main.cf:2: error: postscreen_greet_wait must be a time")


_BEHIND = {
    Needs.NOTHING: "",
    Needs.TABLE: " inline:{a@b.example=OK}",
    Needs.ZONE: " bl.example",
    Needs.SECONDS: " 5",
    Needs.STORE: " /g/db",
    Needs.SERVICE: " inet:127.0.0.1:10023",
}
_SOUND = st.sampled_from([f"{name}{_BEHIND[needs]}" for name, needs in NEEDS.items()])
_ODD = st.sampled_from(
    [
        *OLD_NAMES,
        *REFUSED,
        "one",
        "static:one",
        "hash:/t",
        "reject_unauth_dest",
        "check_greylist /h",
        "5",
        "$one",
        "{",
        "=",
    ]
)
_WORDS = st.lists(st.one_of(*[_SOUND] * 9, _ODD), max_size=4).map(", ".join)
_LISTS = st.builds("{} = {}".format, st.sampled_from([*LISTS]), _WORDS)
_OTHERS = st.sampled_from(
    [
        *(
            "smtpd_delay_reject = no",
            "mynetworks = 10.0.0.0/8",
            f"{RELAY} = {CHECK}",
            f"  {DATA} = reject",
            "soft_bounce =",
        ),
        *("smtpd_restriction_classes = one\none = permit, reject", "# x", "one = one", "compatibility_level = 1"),
    ]
)
_LINES = st.one_of(*[_LISTS] * 3, _OTHERS)


@given(st.lists(_LINES).map("\n".join))
def test_a_check_and_a_start_say_the_same_of_any_file(text: str) -> None:
    """Where there is an error, the gate does not start, and it starts where there is none."""
    text = LEVEL + text

    assert any(": error: " in line for line in found(text)) == is_refused(text)


@pytest.mark.parametrize(
    "text",
    ["header_checks = mysql:/etc/checks\n", "body_checks = nonsense\n", "smtpd_milter_maps = /etc/milters\n"],
)
def test_a_table_that_checks_and_milters_cannot_have_is_an_error(text: str) -> None:
    (line,) = found(text)
    assert line.startswith("main.cf:1: error: ")
    assert is_refused(text)


def test_values_that_are_no_actions_of_header_and_body_checks_are_errors() -> None:
    """As they are at the start; each table once, and none that is right."""
    name = parse_map_name("regexp:/etc/checks")
    around = Surroundings(tables={name: entries("regexp", b"/^Subject: a/ HOLD\n/b/ IGNORE\n/c/ PREPEND no header\n")})
    hold = "/etc/checks:1: error: HOLD needs a queue, and the gate has none"
    header = "/etc/checks:3: error: PREPEND must be followed by a header, name: text"

    assert found("header_checks = regexp:/etc/checks\n", around=around) == [hold, header]
    assert found("body_checks = regexp:/etc/checks\n", around=around) == [hold]
    assert found("header_checks = regexp:/etc/checks\nbody_checks = $header_checks\n", around=around) == [hold]
    assert found("header_checks = inline:{a=IGNORE}\n") == []


def test_values_that_name_no_milters_are_errors() -> None:
    """As they are at the start; and a table that cannot be read is none for long."""
    text = "smtpd_milter_maps = cidr:/etc/milters\nsmtpd_milters = unix:a\n"
    source = b"192.0.2.1 DISABLE\n192.0.2.2 unix:b, inet:c:1\n192.0.2.3 reject\n"
    around = Surroundings(tables={parse_map_name("cidr:/etc/milters"): entries("cidr", source)})
    milter = "/etc/milters:3: error: a milter is unix:PATH or inet:HOST:PORT, and not 'reject'"
    unread = "main.cf:1: warning: table cidr:/etc/milters was not read; until it can be read, smtpd_milters are asked"

    assert found(text, around=around) == [milter]
    assert found(text) == [f"{unread} about everybody"]


def test_values_that_are_no_actions_of_milter_header_checks_are_errors() -> None:
    """As they are at the start."""
    name = parse_map_name("regexp:/etc/checks")
    around = Surroundings(tables={name: entries("regexp", b"/^X-Spam: a/ PREPEND X: y\n/b/ IGNORE\n")})
    prepend = "/etc/checks:1: error: PREPEND is no action of milter_header_checks"

    assert found("milter_header_checks = regexp:/etc/checks\nsmtpd_milters = unix:a\n", around=around) == [prepend]


def test_words_that_are_no_milters_are_errors() -> None:
    """Each with its line."""
    lines = found("smtpd_milters = unix:a,\n  opendkim\n  { unix:b, x=y }\nmilter_default_action = quarantine\n")

    assert [line.partition(": error: ")[0] for line in lines] == ["main.cf:2", "main.cf:3", "main.cf:4"]
