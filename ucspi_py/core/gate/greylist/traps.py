"""Traps of check_greylist: where it is never asked, and what keeps it from its work."""

from collections.abc import Iterator

from ..check.finding import Finding, warning
from ..check.subject import Subject
from ..language.restriction_parameters import LISTS
from .parameters import PARAMETERS, TEXT

_NAME = "check_greylist"
_OF_CONTENT = ("smtpd_data_restrictions", "smtpd_end_of_data_restrictions")
_OF_RECIPIENTS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
#: Bytes of a text that has room in a reply beside the longest address (RFC 5321, 4.5.3.1.5).
_ROOM = 200


def never_asked(subject: Subject) -> Iterator[Finding]:
    """Find it where no recipient is judged."""
    is_early = subject.reading.text("smtpd_delay_reject") == "no"
    for name in LISTS:
        for one, _ in subject.reading.placed(name):
            if one.name == _NAME and (name in _OF_CONTENT or (is_early and name not in _OF_RECIPIENTS)):
                sentence = f"{_NAME} in {name} is never asked: no single recipient is judged there"
                yield warning(one.where, sentence, "put it into smtpd_recipient_restrictions")


def unused(subject: Subject) -> Iterator[Finding]:
    """Find its parameters where no list has it."""
    configuration = subject.reading.configuration
    for one in PARAMETERS:
        if configuration.is_given(one.name) and not subject.reading.greylists:
            yield warning(configuration.where(one.name), f"{one.name} has no effect: no list has {_NAME}")


def long_text(subject: Subject) -> Iterator[Finding]:
    """Find a text of which a client may not see the end."""
    if len(subject.reading.text(TEXT)) > _ROOM:
        where = subject.reading.configuration.where(TEXT)
        yield warning(where, f"{TEXT} is cut where the recipient is long: a reply has 512 bytes", "shorten it to 200")


def unusable(subject: Subject) -> Iterator[Finding]:
    """Find whitelists with lines that mean nothing, and a store that cannot be written."""
    for sentence in subject.around.greylist:
        yield warning(subject.reading.greylists[0].where, sentence)
