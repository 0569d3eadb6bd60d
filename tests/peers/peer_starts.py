"""Lists by which a stranger could relay: Debian's smtpd does not start with them, and the gate does not either."""

import random
import re
from pathlib import Path

from tests.support.waiting import until
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.syntax import settings
from ucspi_py.core.gate.restrictions.configured import restriction_settings

from . import postfix

_CONFIGURATIONS = 60
_WORDS = str.split(
    """permit reject defer defer_if_permit defer_if_reject reject_unauth_destination defer_unauth_destination
        permit_mynetworks permit_auth_destination reject_unlisted_recipient check_client_access~static:OK
        check_recipient_access~static:reject warn_if_reject~reject warn_if_reject~permit mild strict open
        warn_if_reject~strict Permit REJECT sleep~0"""
)
_CLASSES = """\
smtpd_restriction_classes = mild, strict, open
mild = permit_mynetworks
strict = permit_mynetworks, reject
open = permit, reject
"""
_MAIN = "compatibility_level = 3.6\nmynetworks = 10.0.0.0/8\n" + _CLASSES


def test_the_same_lists_do_not_start() -> None:
    """By chance, of what refuses strangers' mail, what seems to, and what ends a list before."""
    draw = random.Random(1)
    asked = {str(number): (_list(draw, "relay"), _list(draw, "recipient")) for number in range(_CONFIGURATIONS)}

    named = {name: (*words, f"syslog_name=number{name}") for name, words in asked.items()}
    with postfix.running(named, main=_MAIN) as theirs:
        until(lambda: _started(theirs.log).keys() == asked.keys(), "smtpd for each list")
        starts = _started(theirs.log)

    assert {words: starts[name] for name, words in asked.items()} == {
        words: _is_taken(words) for words in asked.values()
    }
    assert set(starts.values()) == {True, False}


def _list(draw: random.Random, name: str) -> str:
    words = draw.sample(_WORDS, draw.choice([0, 1, 1, 2, 3]))
    return f"smtpd_{name}_restrictions={', '.join(words).replace('~', ' ')}"


def _started(log: Path) -> dict[str, bool]:
    """Which lists smtpd has started with, and with which it has not: running() has connected to each."""
    found = re.findall(r"number(\d+)/smtpd\[\d+\]: (connect from|fatal: in parameter)", log.read_text())
    return {name: what != "fatal: in parameter" for name, what in found}


def _is_taken(words: tuple[str, ...]) -> bool:
    try:
        restriction_settings(Configuration(settings("main.cf", "\n".join((_MAIN, *words)))), list)
    except AskedWrongly:
        return False
    return True
