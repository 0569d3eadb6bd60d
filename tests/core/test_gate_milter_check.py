"""--check of milters: what is said of those that were asked, and what hangs on what they have said."""

import errno
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from ucspi_py.core.gate.check.check import check
from ucspi_py.core.gate.check.reading import Reading, read
from ucspi_py.core.gate.check.subject import Subject, Surroundings
from ucspi_py.core.gate.language.syntax import settings
from ucspi_py.core.gate.milter.check import traps
from ucspi_py.core.gate.milter.check.abilities import hears, may
from ucspi_py.core.gate.milter.check.seen import NO_ADDRESS, Answers, Seen, Unusable
from ucspi_py.core.milter.negotiation import Agreed
from ucspi_py.core.milter.words import Actions, Event, Protocol

NOTHING = Protocol.NOCONNECT | Protocol.NOHELO | Protocol.NOMAIL | Protocol.NORCPT | Protocol.NODATA
NOTHING |= Protocol.NOHDRS | Protocol.NOBODY
#: Of Debian's opendkim.
OPENDKIM = Agreed(6, Actions.ADDHDRS | Actions.CHGHDRS, Protocol.NOHELO | Protocol.NOUNKNOWN | Protocol.NODATA)


def reading(text: str) -> Reading:
    """What is read of a file."""
    return read(settings("main.cf", text))


def found(text: str, seen: Seen | None = None) -> list[str]:
    """What is said of a file where its first milter was asked."""
    first = next(one.milter for one in traps.named(Subject(reading(text), Surroundings())))
    around = Surroundings(milters={} if seen is None else {first: seen})
    return [str(one) for one in check(reading(text), around)]


@pytest.mark.parametrize(
    ("agreed", "words"),
    [
        (Agreed(6, Actions(0), Protocol(0)), "hears the client, HELO, MAIL, RCPT, DATA, headers and the body"),
        (OPENDKIM, "hears the client, MAIL, RCPT, headers and the body"),
        (Agreed(2, Actions(0), NOTHING), "hears nothing but the end of a message"),
        (Agreed(6, Actions(0), NOTHING & ~Protocol.NORCPT | Protocol.RCPT_REJ), "hears RCPT and refused recipients"),
        (Agreed(3, Actions(0), Protocol.NOBODY), "hears the client, HELO, MAIL, RCPT and headers"),
    ],
)
def test_what_a_milter_hears(agreed: Agreed, words: str) -> None:
    """A version has no event that came later."""
    assert hears(agreed) == words


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (Actions(0), "may change nothing"),
        (Actions.SETSYMLIST, "may change nothing"),
        (Actions.ADDHDRS, "may add headers"),
        (Actions.CHGBODY | Actions.CHGFROM, "may replace the body and change the sender"),
        (Actions.ADDRCPT_PAR | Actions.DELRCPT, "may add recipients and delete recipients"),
        (
            Actions.CHGHDRS | Actions.QUARANTINE,
            "may change headers; may quarantine, which refuses the message here",
        ),
    ],
)
def test_what_a_milter_may_change(actions: Actions, words: str) -> None:
    """Quarantine is no change: there is no queue."""
    assert may(Agreed(6, actions, Protocol(0))) == words


def test_a_milter_that_answers_is_told_in_one_line() -> None:
    """With what becomes of mail where it does not."""
    assert found("smtpd_milters = unix:a\n", Answers(OPENDKIM, 0.0124)) == [
        "main.cf:1: fine: milter unix:a answers within 12 ms, version 6; hears the client, MAIL, RCPT, headers and the "
        "body; may add headers and change headers; where it fails, all mail is refused for now (tempfail)"
    ]


@pytest.mark.parametrize(
    ("milter", "seen", "remedy"),
    [
        ("unix:a", Unusable("why", errno.ENOENT), "; start it, or write the path of its socket"),
        ("inet:127.0.0.1:1", Unusable("why", errno.ECONNREFUSED), "; start it"),
        ("inet:m.example:1", Unusable("why", NO_ADDRESS), "; write its address: /etc/hosts is not read"),
        ("unix:a", Unusable("why", errno.EACCES), ""),
        ("unix:a", Unusable("why"), "; see its log"),
        ("unix:a", Unusable("why", version=2), "; it takes milter_protocol = 2"),
        (
            "unix:/run/a",
            Unusable("why", errno.ENOENT, inside=True),
            "; it is in queue_directory, where a Postfix in a chroot finds it: write unix:run/a",
        ),
    ],
)
def test_a_milter_that_does_not_answer_is_an_error(milter: str, seen: Unusable, remedy: str) -> None:
    """With the next step."""
    assert found(f"smtpd_milters =\n {milter}\n", seen) == [
        f"main.cf:2: error: milter {milter}: why; until it answers, all mail is refused for now (tempfail){remedy}"
    ]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("accept", "mail passes without it (accept)"),
        ("reject", "all mail is refused (reject)"),
        ("shutdown", "all clients are hung up on (shutdown)"),
    ],
)
def test_the_default_action_of_a_milter_is_told(action: str, words: str) -> None:
    """Its own before that of all."""
    text = f"smtpd_milters = {{ unix:a, default_action={action} }}\nmilter_default_action = tempfail\n"

    assert words in found(text, Unusable("why"))[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("milter_default_action = accept\nsmtpd_milters = unix:a, unix:b\n", "main.cf:1"),
        ("smtpd_milters = unix:b\n { unix:a, default_action=accept }\n", "main.cf:2"),
    ],
)
def test_mail_that_passes_without_a_milter_is_noted(text: str, place: str) -> None:
    """Once, for most guides have it so."""
    [line] = found(text)
    assert line.startswith(f"{place}: note: mail passes without milter unix:a where that fails")


@pytest.mark.parametrize(
    ("macros", "lines"),
    [({}, 1), ({Event.CONNECT: (b"j",)}, 0), ({Event.MAIL: (b"i",)}, 1)],
)
def test_a_milter_that_names_its_macros_misses_none(macros: Mapping[Event, tuple[bytes, ...]], lines: int) -> None:
    """The list of the configuration is then not for it."""
    agreed = OPENDKIM._replace(macros=MappingProxyType(dict(macros)))
    said = found("smtpd_milters = unix:a\nmilter_connect_macros = _\n", Answers(agreed, 0.1))

    assert len([line for line in said if "is without j" in line]) == lines


def test_the_milters_of_a_table_are_told_once() -> None:
    """Under the parameter that names the table."""
    table = "inline:{{192.0.2.1={0}, 192.0.2.2={0}, 192.0.2.3=DISABLE, 192.0.2.4=none}}"
    lines = found("smtpd_milter_maps = " + table.format("inet:127.0.0.1:1"), Unusable("why", errno.ECONNREFUSED))

    [line] = [line for line in lines if "start it" in line]
    assert line.startswith("main.cf:1: error: milter inet:127.0.0.1:1: why; until it answers, all mail is refused")


def test_what_is_no_milter_is_named_once() -> None:
    """And the others are looked at."""
    assert found("smtpd_milters = unix:a, b\nmilter_protocol = 2x\n", Unusable("why", errno.EACCES)) == [
        "main.cf:1: error: smtpd_milters: a milter is unix:PATH or inet:HOST:PORT, and not 'b'",
        "main.cf:1: error: milter unix:a: why; until it answers, all mail is refused for now (tempfail)",
        "main.cf:2: error: milter_protocol must be one of 2, 3, 4, 6, and perhaps no_header_reply",
    ]
