"""check_policy_service: how it is written, what a service is told, and what its action does."""

from functools import partial
from typing import Any

import pytest

from tests.support.restrictions import World, facts, judged, last_check, reply, said, settings
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language import syntax
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.policy.particulars import Particulars
from ucspi_py.core.gate.policy.service import parse_service
from ucspi_py.core.gate.policy.settings import PolicyService, PolicySettings
from ucspi_py.core.gate.restrictions.checks.actions import flaw
from ucspi_py.core.gate.restrictions.configured import restriction_settings
from ucspi_py.core.gate.restrictions.facts import Facts, Stage
from ucspi_py.core.gate.restrictions.judgement import Judgement
from ucspi_py.core.gate.restrictions.questions import PolicyFailure, PolicyQuestion
from ucspi_py.core.gate.restrictions.stages import judge
from ucspi_py.core.gate.server import InetServer, UnixServer
from ucspi_py.core.tls.facts import TlsFacts

SERVICE = "inet:127.0.0.1:10023"
ASKED = f"check_policy_service {SERVICE}"


def parsed(word: str, *classes: str) -> PolicyService:
    """A service of a list, where there are some restriction classes."""
    return parse_service(word, partial(flaw, classes=classes))


@pytest.mark.parametrize(
    ("word", "server"),
    [
        ("unix:private/policy", UnixServer("private/policy")),
        ("unix:/run/policy", UnixServer("/run/policy")),
        ("inet:127.0.0.1:10023", InetServer("127.0.0.1", 10023)),
        ("inet:[::1]:10023", InetServer("::1", 10023)),
        ("inet:Policy.example:7", InetServer("Policy.example", 7)),
        ("inet:10023", InetServer("localhost", 10023)),
        ("{inet:10023}", InetServer("localhost", 10023)),
    ],
)
def test_where_a_service_listens(word: str, server: object) -> None:
    """As Postfix has it."""
    assert parsed(word).server == server


def test_a_service_has_settings_of_its_own() -> None:
    """Those that it does not have are those of all; in braces of its own a value may have blanks and commas."""
    word = "{ unix:p, timeout=5m, try_limit=1, { default_action = defer_if_permit 4.3.0 later, please }, max_idle=9 }"
    service = parsed(word)

    assert service.text == "unix:p"
    assert service.settings(PolicySettings(max_ttl=77, timeout=3)) == PolicySettings(
        max_ttl=77, timeout=300, try_limit=1, max_idle=9, default_action=b"defer_if_permit 4.3.0 later, please"
    )


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("private/policy", "is unix:PATH or inet:HOST:PORT"),
        ("unix:", "is unix:PATH or inet:HOST:PORT"),
        ("tcp:127.0.0.1:1", "is unix:PATH or inet:HOST:PORT"),
        ("inet:127.0.0.1:postgrey", "a number as its port"),
        ("inet:127.0.0.1:65536", "a number as its port"),
        ("inet:-x:1", "must be the name of a host"),
        ("{ }", "is unix:PATH or inet:HOST:PORT"),
        ("{ unix:p, timeout }", "each with = and a value, and not 'timeout'"),
        ("{ unix:p, tmeout=1 }", "takes default_action, max_idle"),
        ("{ unix:p, queue_directory=/ }", "takes default_action, max_idle"),
        ("{ unix:p, timeout=0 }", "timeout must be a time from 1s up"),
        ("{ unix:p, try_limit=0 }", "try_limit must be a number from 1"),
        ("{ unix:p, default_action=HOLD }", "default_action must be what an access table may say: HOLD needs a queue"),
        ("{ unix:p, default_action=what }", "there is no restriction 'what'"),
        ("{ unix:p", "a brace is not closed"),
    ],
)
def test_what_is_no_service_is_said(word: str, why: str) -> None:
    """Postfix dies of most of these."""
    with pytest.raises(ValueError, match=why):
        parsed(word)


def test_a_default_action_may_be_a_class() -> None:
    """As the value of a table may."""
    assert parsed("{ unix:p, default_action=strict }", "strict").own == (("default_action", b"strict"),)


def configured(text: str) -> PolicySettings | None:
    """What a main.cf says of all services."""
    whole = f"mydestination = ours.example\nmyorigin = ours.example\n{text}"
    return restriction_settings(Configuration(syntax.settings("main.cf", whole), "/etc")).policy


def test_the_parameters_are_those_of_postfix() -> None:
    """Without one that asks a service nothing of them is made."""
    lists = "smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:p\n"
    given = (
        "smtpd_policy_service_timeout = 100s\nsmtpd_policy_service_default_action = 451 4.3.5 x\nqueue_directory = /q\n"
    )

    assert configured("smtpd_policy_service_timeout = 7\n") is None
    assert configured(lists) == PolicySettings()
    assert configured(lists + given) == PolicySettings(timeout=100, default_action=b"451 4.3.5 x", queue_directory="/q")


def test_a_wrong_default_action_is_refused_with_its_place() -> None:
    """Postfix would say 451 4.3.5 when it is needed."""
    lists = "smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:p\n"

    with pytest.raises(AskedWrongly, match=r"main\.cf line 4: smtpd_policy_service_default_action must be what"):
        configured(f"{lists}smtpd_policy_service_default_action = what\n")


def told(client: Facts, **lists: Any) -> dict[str, str]:
    """What the service is told first, without attributes that are empty."""
    world = World(services={SERVICE: "DUNNO"})
    judged(settings(**(lists or {"recipient": ASKED})), client, world)
    question = next(one for one in world.asked if isinstance(one, PolicyQuestion))
    pairs = [line.partition("=") for line in question.request.decode().splitlines() if line]
    assert len(pairs) == len({name for name, _, _ in pairs})
    return {name: value for name, _, value in pairs if value and name not in ("request", "size", "encryption_keysize")}


CLIENT = {
    "client_address": "192.0.2.7",
    "client_name": "mx.far.example",
    "reverse_client_name": "mx.far.example",
    "helo_name": "mx.far.example",
    "sender": "a@far.example",
    "recipient": "u@ours.example",
    "recipient_count": "0",
}


def test_a_service_is_told_of_a_recipient() -> None:
    """What there is not is empty."""
    assert told(facts()) == {**CLIENT, "protocol_state": "RCPT", "protocol_name": "SMTP"}
    assert told(facts(sender="")) == {
        **{name: value for name, value in CLIENT.items() if name != "sender"},
        "protocol_state": "RCPT",
        "protocol_name": "SMTP",
    }


@pytest.mark.parametrize(
    ("stage", "accepted", "expected"),
    [
        (Stage.DATA, 1, {"recipient": "u@ours.example", "recipient_count": "1"}),
        (Stage.DATA, 2, {"recipient_count": "2"}),
        (Stage.END_OF_MESSAGE, 1, {"recipient": "u@ours.example", "recipient_count": "1"}),
    ],
)
def test_behind_the_recipients_they_are_counted(stage: Stage, accepted: int, expected: dict[str, str]) -> None:
    """One alone is named."""
    found = told(facts(stage, accepted=accepted), data=ASKED, end_of_data=ASKED)

    assert {name: value for name, value in found.items() if name.startswith("recipient")} == expected
    assert found["protocol_state"] == stage.value.decode()


def test_a_service_is_told_of_tls_and_of_the_login() -> None:
    """Names in a certificate are in xtext, and prints have colons, as Postfix writes them."""
    tls = TlsFacts(
        b"TLSv1.3", b"TLS_AES_256_GCM_SHA384", 256, b"mx.ours.example", rb"O=x\,CN=no,CN=Joe\, x=1", b"7", b"ab01"
    )
    more = Particulars(b"i.1", True, False, 99, b"1025", b"192.0.2.1", b"25", b"PLAIN", b"joe@far.example", tls)
    found = told(facts(particulars=more, login=b"joe"))

    assert {name: value for name, value in found.items() if name not in CLIENT} == {
        "protocol_state": "RCPT",
        "protocol_name": "ESMTP",
        "instance": "i.1",
        "client_port": "1025",
        "server_address": "192.0.2.1",
        "server_port": "25",
        "sasl_method": "PLAIN",
        "sasl_username": "joe",
        "sasl_sender": "joe@far.example",
        "encryption_protocol": "TLSv1.3",
        "encryption_cipher": "TLS_AES_256_GCM_SHA384",
        "tls_sni": "mx.ours.example",
        "ccert_subject": "Joe,+20x=1",
        "ccert_fingerprint": "AB:01",
    }


def test_hello_is_told_by_its_verb() -> None:
    """At its own command, where lists are not delayed."""
    more = Particulars(says_ehlo=True)
    undelayed = {"helo": ASKED, "smtpd_delay_reject": False}
    early = {"sender": None, "recipient": None}

    assert told(facts(Stage.HELO, particulars=more, **early), **undelayed)["protocol_state"] == "EHLO"
    assert told(facts(Stage.HELO, particulars=Particulars(), **early), **undelayed)["protocol_state"] == "HELO"


REFUSED = "<u@ours.example>: Recipient address rejected: "


@pytest.mark.parametrize(
    ("action", "heard"),
    [
        ("DUNNO", ""),
        ("dunno", ""),
        ("OK", ""),
        ("550 5.7.23 no spf", f"550 5.7.23 {REFUSED}no spf"),
        ("450 later", f"450 4.7.1 {REFUSED}later"),
        ("reject go away", f"554 5.7.1 {REFUSED}go away"),
        ("REJECT", f"554 5.7.1 {REFUSED}Access denied"),
        ("defer_if_permit 4.7.24 dns", f"450 4.7.24 {REFUSED}dns"),
        ("DEFER_IF_PERMIT 4.2.0 Greylisted", f"450 4.2.0 {REFUSED}Greylisted"),
        ("prepend Received-SPF: pass", ""),
        ("INFO x", ""),
        ("reject_unlisted_sender, defer", f"450 4.3.2 {REFUSED}Try again later"),
        ("what", "451 4.3.5 Server configuration error"),
        ("HOLD", "451 4.3.5 Server configuration error"),
        ("check_client_access hash:/t", "451 4.3.5 Server configuration error"),
    ],
)
def test_an_action_does_what_a_table_would(action: str, heard: str) -> None:
    """In capitals and in small letters, as servers write it."""
    assert reply(facts(), World(services={SERVICE: action}), recipient=ASKED) == heard


def test_without_an_answer_the_default_action_counts() -> None:
    """That of the service before that of all."""
    world = World(services={SERVICE: None})
    own = f"check_policy_service {{ {SERVICE}, {{ default_action = 451 4.3.0 own }} }}"

    assert reply(facts(), world, recipient=ASKED) == ""
    assert reply(facts(), world, recipient=ASKED, policy=PolicySettings(default_action=b"defer")).startswith(
        "450 4.7.1"
    )
    assert reply(facts(), world, recipient=own) == f"451 4.3.0 {REFUSED}own"


def test_where_nobody_is_to_be_asked_the_next_restriction_is_looked_at() -> None:
    """As an explanation has it; the default action is for services that fail."""
    lists = settings(recipient=ASKED, policy=PolicySettings(default_action=b"REJECT"))
    questions = judge(lists, facts(), {})
    assert not isinstance(questions, Judgement)

    found = judge(lists, facts(), dict.fromkeys(questions, PolicyFailure.UNASKED))

    assert isinstance(found, Judgement)
    assert found.reply is None


def test_a_later_refusal_beats_a_greylist() -> None:
    """DEFER_IF_PERMIT is kept to the end."""
    world = World(services={SERVICE: "DEFER_IF_PERMIT wait"})

    assert reply(facts(), world, recipient=f"{ASKED}, reject").startswith("554 5.7.1")


def test_warn_if_reject_makes_a_line_of_it() -> None:
    """As of any other restriction."""
    found = judged(
        settings(recipient=f"warn_if_reject {ASKED}"), facts(), World(services={SERVICE: "550 5.7.23 no spf"})
    )

    assert said(found) == ""
    assert [line.kind for line in found.lines] == [b"reject_warning"]


def test_each_place_is_asked_anew() -> None:
    """Once for each, in its turn; policy_context tells them apart."""
    world = World(services={SERVICE: "DUNNO"})
    second = f"check_policy_service {{ {SERVICE}, policy_context=second }}"

    judged(settings(client=ASKED, recipient=f"{ASKED}, {second}"), facts(), world)

    asked = [one for one in world.asked if isinstance(one, PolicyQuestion)]
    assert [one.place for one in asked] == [1, 2, 3]
    assert [b"\npolicy_context=second\n" in one.request for one in asked] == [False, False, True]


@pytest.mark.parametrize("action", ["grey", "again " * 100, f"grey {'again ' * 100}"])
def test_a_service_that_has_others_asked_does_not_keep_a_worker(action: str) -> None:
    """Each answer may be a list of classes."""
    classes = {"grey": ASKED, "again": "check_policy_service unix:other"}
    world = World(services={SERVICE: action, "unix:other": "DUNNO"})
    found = judged(settings(recipient="grey", classes=classes), facts(), world)

    assert len(world.asked) <= 30
    assert said(found) == "451 4.3.5 Server configuration error"
    assert found.lines[-1].text.endswith(b"has more than 30 questions asked about one command")


def test_an_ok_opens_no_relay() -> None:
    """The list is left, and the gate's last check refuses."""
    world = World(services={SERVICE: "OK"})
    lists = settings(recipient=f"{ASKED}, reject_unauth_destination")

    assert said(judged(lists, facts(recipient="u@elsewhere.example"), world)) == ""
    assert last_check(lists, "u@elsewhere.example", world).startswith("554 5.7.1")
    assert last_check(lists, "u@ours.example", world) == ""


def test_a_message_gets_its_header_once() -> None:
    """Unlike one of a table, which Postfix puts there for each recipient."""
    found = judged(settings(recipient=ASKED), facts(), World(services={SERVICE: "PREPEND X-Greylist: delayed"}))

    assert found.prepend == (b"X-Greylist: delayed",)
    assert found.once == {b"X-Greylist: delayed\n"}
