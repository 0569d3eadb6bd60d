"""The words of a restriction list -> its restrictions (smtpd_check.c, smtpd_check_parse and generic_checks)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

from ...dnsbl import zone
from ...errors import AskedWrongly
from ...numbers import decimal
from ...store import url
from ..language.words import Word
from ..maps.names import MapName, parse_map_name
from .names import NEEDS, OLD_NAMES, REFUSED, Needs
from .restriction import CLASS, FLAWED, TABLE, WARN_IF_REJECT, Restriction, Restrictions

if TYPE_CHECKING:  # Few ask policy services.
    from ..policy.settings import PolicyService

#: Signs at an edge of a word that are meant for something, and what does that in main.cf.
_STRAY = {
    "#": "; write a comment on a line of its own",
    "\\": "; leave the backslash out: a line continues the one above by a blank at its start",
    ";": "; divide restrictions by blanks or commas",
    **dict.fromkeys("\"'", "; leave the quotes out"),
    **dict.fromkeys("{}", "; leave the braces out"),
}
#: What a word has without which it was not meant for what a name needs.
_SIGNS = {Needs.TABLE: ":", Needs.STORE: "/"}


def parse_list(words: Sequence[Word], classes: Collection[str] = (), *, takes_bare_tables: bool = True) -> Restrictions:
    """Parse a list. classes: the names in smtpd_restriction_classes.

    takes_bare_tables: a table without a restriction before it is the list's own access check. Raises AskedWrongly with
    the place of what Postfix would refuse, answer with 451 4.3.5 or pass over, and with the nearest name there is.
    """
    restrictions = parse_leniently(words, classes)
    for flaw in flaws(restrictions, takes_bare_tables=takes_bare_tables):
        raise AskedWrongly(flaw)
    return restrictions


def flaws(restrictions: Restrictions, *, takes_bare_tables: bool = True) -> Iterator[str]:
    """Yield a sentence, with its place, for all that is wrong with a list. takes_bare_tables: as of parse_list."""
    for one in restrictions:
        if one.is_flawed:
            yield f"{one.where}: {one.text}"
        elif one.name == TABLE and not takes_bare_tables:
            yield f"{one.where}: before the table {one.table} a check_..._access is missing"
    if restrictions and restrictions[-1].name == WARN_IF_REJECT:
        yield f"{restrictions[-1].where}: behind warn_if_reject nothing follows"


def parse_classes(lists: Mapping[str, Sequence[Word]]) -> dict[str, Restrictions]:
    """Parse the lists of smtpd_restriction_classes. lists: of each name its words.

    Raises AskedWrongly as parse_list does, for an empty class, and for one that holds itself: that has no end.
    """
    classes = {name: parse_leniently(words, lists) for name, words in lists.items()}
    for flaw in class_flaws(classes):
        raise AskedWrongly(flaw)
    return classes


def class_flaws(classes: Mapping[str, Restrictions]) -> Iterator[str]:
    """Yield a sentence for all that is wrong with classes. classes: of each name its list."""
    for name, restrictions in classes.items():
        if not restrictions:
            yield f"restriction class {name} needs a definition"
    for restrictions in classes.values():
        yield from flaws(restrictions)
    for name in endless(classes):
        yield f"{classes[name][0].where}: restriction class {name} holds itself"


def endless(classes: Mapping[str, Restrictions]) -> Iterator[str]:
    """Yield the names of classes that hold themselves. classes: of each name its list."""
    yield from (name for name, restrictions in classes.items() if name in _within(restrictions, classes))


def parse_leniently(words: Sequence[Word], classes: Collection[str] = ()) -> Restrictions:
    """Parse a list as it stands in a table: what is wrong with it is a restriction of its own, met in its turn."""
    return tuple(_restrictions(iter(words), classes))


def _restrictions(words: Iterator[Word], classes: Collection[str]) -> Iterator[Restriction]:
    for word in words:
        name = word.text.lower()
        name = OLD_NAMES.get(name, name)
        try:
            if ":" in word.text:
                yield Restriction(TABLE, parse_map_name(word.text), word.where)
            elif name in NEEDS:
                yield Restriction(name, _argument(name, words, classes), word.where)
            elif word.text in classes:
                yield Restriction(CLASS, word.text, word.where)
            elif name in REFUSED:
                yield Restriction(name, f"{name}: {REFUSED[name]}", word.where)
            else:
                nearest = get_close_matches(name, [*NEEDS, *OLD_NAMES, *classes], 1)
                yield Restriction(FLAWED, _unknown(word.text, nearest), word.where)
                if NEEDS.get(nearest[0] if nearest else "", Needs.NOTHING) is not Needs.NOTHING:
                    next(words, None)
        except (ValueError, AskedWrongly) as wrong:
            yield Restriction(FLAWED, str(wrong), word.where)


def _argument(
    name: str, words: Iterator[Word], classes: Collection[str]
) -> "MapName | zone.Zone | PolicyService | int | str | None":
    needs = NEEDS[name]
    if needs is Needs.NOTHING:
        return None
    word = next(words, None)
    seconds = decimal(word.text) if word else None
    if word is None or (needs is Needs.SECONDS and seconds is None) or _SIGNS.get(needs, "") not in word.text:
        raise ValueError(f"{name} must be followed by {needs.value}")
    if needs is Needs.TABLE:
        return parse_map_name(word.text)
    if needs is Needs.STORE:
        return _store(name, word.text)
    if needs is Needs.SERVICE:
        from ..policy.service import parse_service
        from .checks.actions import flaw

        return parse_service(word.text, partial(flaw, classes=classes))
    return seconds if needs is Needs.SECONDS else _zone(word.text, of_names="_rhs" in name)


def _store(name: str, word: str) -> str:
    """The message about a wrong one does not repeat it: it may hold a password."""
    flaw = url.place_flaw(word)
    if flaw:
        raise ValueError(f"the store of {name} {flaw}")
    return word


def _zone(word: str, *, of_names: bool) -> zone.Zone:
    """A zone as Postfix writes it, ``name`` or ``name=codes``; an A record lists, and all are asked about IPv6, too.

    of_names: it has no test points among the addresses.
    """
    if any(sign in word for sign in "@+*:"):
        raise ValueError(f"zone '{word}' must be name or name=codes, as in bl.example.org=127.0.0.[2..11]")
    return replace(zone.parse(word), bounce=True, ipv6=True, text=b"", tested=not of_names)


def _unknown(word: str, nearest: Sequence[str]) -> str:
    nearest_there_is = f"; the nearest is {nearest[0]}" if nearest else ""
    return f"there is no restriction '{word}'{_STRAY.get(word[0], _STRAY.get(word[-1], nearest_there_is))}"


def _within(restrictions: Restrictions, classes: Mapping[str, Restrictions]) -> set[str]:
    """The names of all classes in a list, and in these."""
    found: set[str] = set()
    waiting = list(restrictions)
    while waiting:
        one = waiting.pop()
        if one.name == CLASS and one.text not in found:
            found.add(one.text)
            waiting += classes[one.text]
    return found
