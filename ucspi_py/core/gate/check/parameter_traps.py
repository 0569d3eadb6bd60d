"""Traps in single parameters: what is written twice, swallowed, of no effect, or left from a sample."""

import re
from collections.abc import Iterator

from ..language.syntax import BLANKS, Setting, Source
from ..tls.parameters import CERTIFICATE, CHAINS, EC_CERTIFICATE
from .finding import Finding, Kind, error, warning
from .subject import Subject

_ASSIGNMENT = re.compile(rf"[{BLANKS}]*([A-Za-z0-9_]+)[{BLANKS}]*=")
_LEVEL = "smtpd_tls_security_level"
_UNKNOWN_CODES = tuple(f"unknown_{who}_reject_code" for who in (
    "local_recipient", "relay_recipient", "virtual_alias", "virtual_mailbox"
))  # fmt: skip


def overridden(subject: Subject) -> Iterator[Finding]:
    """Find what one file sets twice. What another file or an option overrides is meant so."""
    earlier: dict[tuple[str, str], Setting] = {}
    for setting in subject.reading.configuration.settings:
        key = (setting.name, setting.value.place)
        before = earlier.get(key)
        if before and before.value.text != setting.value.text:
            sentence = f"{setting.name} is overridden by {setting.where}"
            yield warning(before.where, sentence, "leave one of the two out")
        earlier[key] = setting


def swallowed(subject: Subject) -> Iterator[Finding]:
    """Find a line that begins with a blank, and so belongs to the one above, and looks like a setting of its own."""
    configuration = subject.reading.configuration
    for setting in configuration.settings:
        for at, line in _further_lines(setting.value):
            found = _ASSIGNMENT.match(line)
            if found and configuration.knows(found[1]):
                sentence = f"{found[1]} is not set here: the blank at its start makes it a part of {setting.name}"
                yield warning(setting.value.where(at), sentence, "take the blank away")


def clear_passwords(subject: Subject) -> Iterator[Finding]:
    """Find logins that are offered without TLS."""
    is_safe = subject.is_yes("smtpd_tls_auth_only") or subject.reading.text(_LEVEL) == "encrypt"
    if subject.is_yes("smtpd_sasl_auth_enable") and not is_safe:
        where = subject.reading.configuration.where("smtpd_sasl_auth_enable")
        yield warning(where, "passwords may cross the net in clear text", "set smtpd_tls_auth_only = yes")


def unchecked_passwords(subject: Subject) -> Iterator[Finding]:
    """Find what keeps passwords from being checked, or does not do what it seems to."""
    where, seen = subject.reading.configuration.where("smtpd_sasl_path"), subject.around.passwords
    if seen.refused:
        placed = error(seen.refused)
        yield placed if placed.where else placed._replace(where=where)
    if seen.unreachable:
        yield warning(where, seen.unreachable)
    for sentence in seen.without_effect:
        yield error(sentence)._replace(kind=Kind.NOTE)


def without_effect(subject: Subject) -> Iterator[Finding]:
    """Find old parameters of TLS beside the one that took their place, and one of a length that no client takes."""
    configuration = subject.reading.configuration
    for name in ("smtpd_use_tls", "smtpd_enforce_tls"):
        if configuration.is_given(name) and subject.reading.text(_LEVEL):
            yield warning(configuration.where(name), f"{name} has no effect beside {_LEVEL}", "leave it out")
    if configuration.is_given("smtpd_tls_dh512_param_file"):
        sentence = "smtpd_tls_dh512_param_file has no effect: export ciphers are gone"
        yield warning(configuration.where("smtpd_tls_dh512_param_file"), sentence, "leave it out")


def keys(subject: Subject) -> Iterator[Finding]:
    """Find keys for TLS that cannot be used, or not for long, and TLS that is offered without any."""
    found = subject.around.keys
    if found.error:
        yield error(found.error)
    for sentence in found.warnings:
        yield warning("", sentence)
    configuration = subject.reading.configuration
    if subject.reading.text(_LEVEL) == "may" and not any(
        map(configuration.is_given, (CERTIFICATE, CHAINS, EC_CERTIFICATE))
    ):
        yield warning(configuration.where(_LEVEL), f"no TLS is offered: {CHAINS} is not set", f"set {CHAINS}")


def retried_for_days(subject: Subject) -> Iterator[Finding]:
    """Find unknown users who are refused only for now."""
    for name in _UNKNOWN_CODES:
        code = subject.reading.text(name)
        if code.startswith("4"):
            sentence = f"{name} = {code} has mail for users that there are not tried for days"
            yield warning(subject.reading.configuration.where(name), sentence, "set 550, or leave it out")


def ledger(subject: Subject) -> Iterator[Finding]:
    """Find a ledger that anybody may write, or that is not there: everybody relays by the one, nobody by the other."""
    where = subject.reading.configuration.where("relay_store")
    if subject.around.is_ledger_open:
        yield warning(where, "anybody may write relay_store, and relay then", "take that right away (chmod o-w)")
    if subject.around.ledger:
        yield warning(where, f"no grant counts: unable to read relay_store: {subject.around.ledger}")


def _further_lines(value: Source) -> Iterator[tuple[int, str]]:
    """Each line of a value but its first, and its index in the text."""
    edges = [*(max(start, 0) for start in value.starts), len(value.text)]
    for place in range(1, len(value.starts)):
        yield edges[place], value.text[edges[place] : edges[place + 1]]
