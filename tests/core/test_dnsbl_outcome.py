"""What becomes of a client by -i, --dry-run and -v, once its zones have spoken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dnsbl.answers import CLEAN, Failing, Listed, Result
from ucspi_py.core.dnsbl.outcome import ScreenResult, outcome, unasked
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.dnsbl.zone import parse
from ucspi_py.core.smtp.verdict import Accept, Outcome, Refuse

IP = {b"TCPREMOTEIP": b"192.0.2.7"}
NO = Refuse(553, b"no")
LISTED = Result(Listed(b"no", b"\x7f\0\0\2"), 0.002, 60)
SCREENED = ScreenResult(NO, (LISTED, Result(CLEAN, 0.001, 60), None))
LINE = b"dnsbl: zones for 192.0.2.7 pid 77: x=127.0.0.2/2ms y=clean/1ms z=pending/0ms: 553 no\n"
WOULD = b"dnsbl: would refuse 192.0.2.7 pid 77: 553 no\n"
MARKS = {b"RBLSMTPD": b"-no", b"RBLSCORE": b"1", b"RBLZONES": b"x=127.0.0.2"}


def settings(**options: Any) -> DnsblSettings:
    """Three zones and these options."""
    return DnsblSettings(tuple(map(parse, "xyz")), 60, 5.0, **options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), Outcome(NO, NO)),
        (("verbose",), Outcome(NO, NO, lines=(LINE,))),
        (("dry_run",), Outcome(Accept(), NO, lines=(WOULD,))),
        (("dry_run", "verbose"), Outcome(Accept(), NO, lines=(LINE, WOULD))),
        (("interrogate",), Outcome(Accept(), NO, MARKS)),
        (("interrogate", "dry_run", "verbose"), Outcome(Accept(), NO, MARKS, (LINE,))),
    ],
    ids=str,
)
def test_a_listed_client(options: tuple[str, ...], expected: Outcome) -> None:
    """It is counted as refused whatever the options; -i goes before --dry-run."""
    assert outcome(settings(**dict.fromkeys(options, True)), IP, SCREENED, 77) == expected


@pytest.mark.parametrize("options", [("dry_run",), ("interrogate",), ("verbose",)], ids=str)
def test_who_is_accepted_is_accepted(options: tuple[str, ...]) -> None:
    """Nobody would have refused it, and a failed zone lists nobody."""
    screened = ScreenResult(Accept(), (Result(Failing("timed out"), 5.0, 0),) * 3)

    found = outcome(settings(**dict.fromkeys(options, True)), IP, screened, 77)

    assert found.verdict == found.said == Accept()
    assert found.variables == ({b"RBLSCORE": b"0", b"RBLZONES": b""} if "interrogate" in options else {})
    assert [line.rpartition(b": ")[2] for line in found.lines] == ([b"accepted\n"] if "verbose" in options else [])


@pytest.mark.parametrize("word", [b"", b"text", b"-text"])
@given(st.booleans(), st.booleans())
def test_the_environment_decides_before_the_zones(word: bytes, interrogate: bool, dry_run: bool) -> None:
    """It is passed on to the program as it is, and has no line of zones."""
    wanted = settings(interrogate=interrogate, dry_run=dry_run, verbose=True)
    environment = IP | {b"RBLSMTPD": word}

    screened = unasked(wanted, environment)

    assert screened
    assert not screened.results
    found = outcome(wanted, environment, screened, 77)
    assert found.said == screened.verdict
    assert not found.variables
    assert isinstance(found.verdict, Refuse) == (bool(word) and not interrogate and not dry_run)


@pytest.mark.parametrize(("zones", "greet", "asked"), [("", 0, False), ("x", 0, True), ("", 1, True)])
def test_without_a_word_somebody_is_asked_if_there_is_anybody(zones: str, greet: int, asked: bool) -> None:
    """A zone, or the client itself, which may talk too early."""
    screened = unasked(DnsblSettings(tuple(map(parse, zones)), 60, 5.0, greet_seconds=greet), IP)

    assert screened == (None if asked else ScreenResult(Accept()))
