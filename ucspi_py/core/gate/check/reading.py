"""A configuration read so that all of its errors are found, and not only the first. Never refuses one."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from ...dnsbl.zone import Zone
from ...errors import AskedWrongly
from ..language.configuration import Configuration
from ..language.content_parameters import CHECKS
from ..language.restriction_parameters import LISTS
from ..language.syntax import Setting
from ..language.words import Word
from ..maps.names import MapName
from ..milter import parameters as milter_parameters
from ..restrictions.configured import DOMAINS, MAPS, WITHOUT_OWN_CHECK, restriction_settings
from ..restrictions.domains import parse_domains, parse_maps
from ..restrictions.parse import class_flaws, endless, flaws, parse_leniently
from ..restrictions.relay_check import check_relay
from ..restrictions.restriction import CLASS, WARN_IF_REJECT, Restriction, Restrictions
from ..restrictions.settings import RestrictionSettings
from .finding import Finding, Kind, error

_RELAY, _RECIPIENT = "smtpd_relay_restrictions", "smtpd_recipient_restrictions"


class Placed(NamedTuple):
    """A restriction of a list, or of a class in it. is_warned: it stands behind warn_if_reject."""

    one: Restriction
    is_warned: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    configuration: with all that is wrong in it. lists, classes: of each name its restrictions; an endless class has
    none. errors: for which the gate does not start.
    """

    configuration: Configuration
    lists: Mapping[str, Restrictions]
    classes: Mapping[str, Restrictions]
    errors: tuple[Finding, ...]

    def words(self, name: str) -> tuple[Word, ...]:
        """Expand a list to its words; none where that cannot be done."""
        try:
            return self.configuration.words(name)
        except AskedWrongly:
            return ()

    def text(self, name: str) -> str:
        """Expand the text of a parameter, in small letters; "" where that cannot be done."""
        try:
            return self.configuration.text(name).lower()
        except AskedWrongly:
            return ""

    def placed(self, name: str) -> tuple[Placed, ...]:
        """List the restrictions of a list, each class as what it holds."""
        return tuple(self._placed(self.lists[name], False))

    @property
    def tables(self) -> tuple[MapName, ...]:
        """Every table, once: those of the lists and of domains."""
        found = [one.argument for of_list in self._all() for one in of_list if isinstance(one.argument, MapName)]
        found += [
            table for name in (*DOMAINS, *MAPS, *CHECKS, *milter_parameters.TABLES) for _, table in self.tables_of(name)
        ]
        return tuple(dict.fromkeys(found))

    def tables_of(self, name: str) -> tuple[tuple[Word, MapName], ...]:
        """Find the tables that a parameter names, each with its word. name: of domains, users, checks."""
        found = []
        for word in self.words(name):
            with suppress(AskedWrongly):
                found += [(word, one) for one in (_table(word),) if one]
        return tuple(found)

    @property
    def zones(self) -> tuple[tuple[Zone, str], ...]:
        """Every zone of the lists, and the place that has it."""
        return tuple(
            (one.argument, one.where) for of_list in self._all() for one in of_list if isinstance(one.argument, Zone)
        )

    @property
    def greylists(self) -> Restrictions:
        """Each check_greylist of the lists."""
        return tuple(one for of_list in self._all() for one in of_list if one.name == "check_greylist")

    def _all(self) -> tuple[Restrictions, ...]:
        return (*self.lists.values(), *self.classes.values())

    def _placed(self, restrictions: Restrictions, is_warned: bool) -> Iterator[Placed]:
        next_is_warned = is_warned
        for one in restrictions:
            if one.name == CLASS:
                yield from self._placed(self.classes[one.text], next_is_warned)
            elif one.name != WARN_IF_REJECT:
                yield Placed(one, next_is_warned)
            next_is_warned = is_warned or one.name == WARN_IF_REJECT


def read(
    settings: Iterable[Setting],
    directory: str = "",
    names: Collection[str] = (),
    service: str = "smtp",
    flaws: Iterable[str] = (),
) -> Reading:
    """Read settings.

    directory, names, service: as of Configuration. flaws: what is wrong with lines that are no settings, with their
    places.
    """
    configuration = Configuration(settings, directory, names, service, is_lenient=True)
    errors = [error(flaw) for flaw in (*flaws, *configuration.flaws())]
    errors += _content_errors(configuration)
    errors += _milter_errors(configuration)
    lists: dict[str, Restrictions] = dict.fromkeys(LISTS, ())
    classes: dict[str, Restrictions] = {}
    with suppress(AskedWrongly):
        if configuration.has_lists:
            classes, wrong = _classes(configuration)
            lists = {name: _list(configuration, name, classes) for name in LISTS}
            errors += [*wrong, *_list_errors(configuration, lists, classes)]
    return Reading(configuration, lists, classes, tuple(dict.fromkeys(errors)) or _last_error(configuration))


def _classes(configuration: Configuration) -> tuple[dict[str, Restrictions], list[Finding]]:
    try:
        words = configuration.classes()
    except AskedWrongly as wrong:
        return {}, [error(wrong.sentence)]
    classes = {name: parse_leniently(of_class, words) for name, of_class in words.items()}
    errors = [error(flaw) for flaw in class_flaws(classes)]
    return classes | dict.fromkeys(tuple(endless(classes)), ()), errors


def _list(configuration: Configuration, name: str, classes: Collection[str]) -> Restrictions:
    try:
        return parse_leniently(configuration.words(name), classes)
    except AskedWrongly:
        return ()  # Its text has been named.


def _list_errors(
    configuration: Configuration, lists: Mapping[str, Restrictions], classes: Mapping[str, Restrictions]
) -> Iterator[Finding]:
    for name, restrictions in lists.items():
        yield from map(error, flaws(restrictions, takes_bare_tables=name not in WITHOUT_OWN_CHECK))
    for name in (*DOMAINS, *MAPS):
        with suppress(AskedWrongly):
            for word in configuration.user_tables(name) if name in MAPS else configuration.words(name):
                yield from _word_errors(name, word)
    if any(map(configuration.is_given, LISTS)):
        try:
            check_relay(
                RestrictionSettings(
                    smtpd_relay_restrictions=lists[_RELAY],
                    smtpd_recipient_restrictions=lists[_RECIPIENT],
                    smtpd_restriction_classes=classes,
                )
            )
        except AskedWrongly as wrong:
            yield _without_relay_check(configuration, wrong.sentence)


def _content_errors(configuration: Configuration) -> Iterator[Finding]:
    for name in filter(configuration.is_given, (*CHECKS, *milter_parameters.TABLES)):
        with suppress(AskedWrongly):
            for word in configuration.words(name):
                yield from _word_errors(name, word)


def _milter_errors(configuration: Configuration) -> Iterator[Finding]:
    if configuration.has_milters:
        from ..milter.service import parse_milters  # which few have

        with suppress(AskedWrongly):
            for word in configuration.words(milter_parameters.LIST):
                try:
                    parse_milters([word])
                except AskedWrongly as wrong:
                    yield error(wrong.sentence)


def _word_errors(name: str, word: Word) -> Iterator[Finding]:
    try:
        parse_domains([word]) if name in DOMAINS else parse_maps([word])
    except AskedWrongly as wrong:
        yield error(wrong.sentence)


def _table(word: Word) -> MapName | None:
    pattern = parse_domains([word])[0].pattern
    return pattern if isinstance(pattern, MapName) else None


def _without_relay_check(configuration: Configuration, sentence: str) -> Finding:
    """Most read what they did not say: that the default of the relay list hangs on the level."""
    name = next(name for name in (_RELAY, _RECIPIENT, *LISTS) if configuration.is_given(name))
    if name == _RELAY and not configuration.words(_RELAY):
        remedy = f"{_RELAY} is set to nothing: leave it out from level 1 on, or put reject_unauth_destination into it"
    elif name != _RELAY and not configuration.words(_RELAY):
        level = configuration.text("compatibility_level")
        remedy = f"compatibility_level is {level}, and below 1 {_RELAY} is empty by default: set one of these"
    else:
        remedy = "put reject_unauth_destination behind permit_mynetworks"
    return Finding(Kind.ERROR, configuration.where(name), f"the relay check is missing: {sentence}", remedy)


def _last_error(configuration: Configuration) -> tuple[Finding, ...]:
    """What a start would find, and nothing before has found."""
    try:
        configuration.gate_settings()
        if configuration.has_lists:
            restriction_settings(configuration)
    except AskedWrongly as wrong:
        return (error(wrong.sentence),)
    return ()
