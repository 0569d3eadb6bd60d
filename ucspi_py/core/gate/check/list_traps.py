"""Traps in the restriction lists: what stands where it has no effect, or where it hits the wrong clients."""

from collections.abc import Iterator
from itertools import pairwise

from ..language import values
from ..language.restriction_parameters import LISTS
from ..restrictions.names import OLD_NAMES
from ..restrictions.restriction import WARN_IF_REJECT
from ..settings import LOOPBACK
from .finding import Finding, warning
from .subject import Subject

_DATA, _END_OF_DATA = "smtpd_data_restrictions", "smtpd_end_of_data_restrictions"
_CONTENT = (_DATA, _END_OF_DATA)
_PIPELINING, _BOUNCE, _ETRN = "reject_unauth_pipelining", "reject_multi_recipient_bounce", "check_etrn_access"
#: Restrictions about the client that hit those who have nothing but an address of a provider.
_OF_CLIENTS = ("reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_reverse_client")
#: What a list that is not delayed has not heard yet.
_LATER = {
    "smtpd_client_restrictions": ("helo", "sender", "recipient"),
    "smtpd_helo_restrictions": ("sender", "recipient"),
    "smtpd_sender_restrictions": ("recipient",),
}
_ENDS = ("permit", "reject", "defer")


def pipelining(subject: Subject) -> Iterator[Finding]:
    """Find reject_unauth_pipelining where a client that said EHLO may send several commands at once."""
    for name in LISTS:
        for one, _ in subject.reading.placed(name):
            if one.name == _PIPELINING and name not in _CONTENT:
                sentence = f"{_PIPELINING} in {name} has no effect on clients that say EHLO"
                yield warning(one.where, sentence, f"put it into {_DATA}")


def too_early(subject: Subject) -> Iterator[Finding]:
    """Find what looks at something that has not been said yet, as smtpd_delay_reject = no has it."""
    if subject.reading.text("smtpd_delay_reject") != "no":
        return
    for name, later in _LATER.items():
        for one, _ in subject.reading.placed(name):
            about = _about(one.name)
            if about in later:
                sentence = f"{one.name} in {name} is never asked: with smtpd_delay_reject = no there is no {about} yet"
                yield warning(one.where, sentence, f"put it into smtpd_{about}_restrictions")


def too_late(subject: Subject) -> Iterator[Finding]:
    """Find what looks at one recipient where there may be several, and at all of them where there is one."""
    for name in LISTS:
        for one, _ in subject.reading.placed(name):
            if one.name == _BOUNCE and name not in _CONTENT:
                sentence = f"{_BOUNCE} in {name} does not see all recipients"
                yield warning(one.where, sentence, f"put it into {_DATA}")
            elif one.name == _ETRN:
                yield warning(one.where, f"{_ETRN} is never asked: the gate takes no ETRN", "leave it out")
            elif one.name != _BOUNCE and name in _CONTENT and _about(one.name) == "recipient":
                sentence = f"{one.name} in {name} is passed over for messages to several recipients"
                yield warning(one.where, sentence, "put it into smtpd_recipient_restrictions")


def own_users(subject: Subject) -> Iterator[Finding]:
    """Find zones that are asked about our own users, in their list."""
    sparing = ["permit_mynetworks"] if _has_networks(subject) else []
    sparing += ["permit_sasl_authenticated"] if subject.is_yes("smtpd_sasl_auth_enable") else []
    for name in LISTS:
        left = list(sparing)
        for one, _ in subject.reading.placed(name):
            if one.name in left:
                left.remove(one.name)
            if one.name in _OF_CLIENTS and left:
                sentence = f"{one.name} in {name} may refuse our own users"
                yield warning(one.where, sentence, f"put {' and '.join(left)} before it, in the same list")
                break


def old_names(subject: Subject) -> Iterator[Finding]:
    """Find names that Postfix may give up."""
    classes = [word.text for word in subject.reading.words("smtpd_restriction_classes")]
    for name in (*LISTS, *classes):
        for word in subject.reading.words(name):
            newer = OLD_NAMES.get(word.text.lower())
            if newer:
                yield warning(word.where, f"{word.text} is an old name", f"write {newer}")


def helo_not_required(subject: Subject) -> Iterator[Finding]:
    """Find checks of a name that a client need not say."""
    if subject.is_yes("smtpd_helo_required"):
        return
    for name in LISTS:
        for one, _ in subject.reading.placed(name):
            if _about(one.name) == "helo":
                sentence = f"{one.name} in {name} does not hit who says no HELO"
                yield warning(one.where, sentence, "set smtpd_helo_required = yes")
                break


def nameless_clients(subject: Subject) -> Iterator[Finding]:
    """Find who refuses all clients without a verified name."""
    for name in LISTS:
        for one, is_warned in subject.reading.placed(name):
            if one.name == "reject_unknown_client_hostname" and not is_warned:
                sentence = f"{one.name} in {name} refuses many good servers, whose name does not lead back to them"
                yield warning(one.where, sentence, "put warn_if_reject before it, and read the log")


def dead_ends(subject: Subject) -> Iterator[Finding]:
    """Find what stands behind an end: nobody comes by it."""
    for name, restrictions in (*subject.reading.lists.items(), *subject.reading.classes.items()):
        is_warned = False
        for one, following in pairwise(restrictions):
            if one.name in _ENDS and not is_warned and not following.is_flawed:
                sentence = f"in {name} nobody comes by what stands behind {one.name} of {one.where}"
                yield warning(following.where, sentence, "leave one or the other out")
                break
            is_warned = one.name == WARN_IF_REJECT


def _about(name: str) -> str:
    """Of what a restriction must have heard."""
    if name.endswith("_destination"):
        return "recipient"
    return next((about for about in ("helo", "sender", "recipient") if f"_{about}" in name), "")


def _has_networks(subject: Subject) -> bool:
    """Whether mynetworks holds more than this host."""
    try:
        networks = values.networks(subject.reading.text("mynetworks"))
    except ValueError:
        return True
    return any(not any(own.holds(one) for own in LOOPBACK) for one in networks)
