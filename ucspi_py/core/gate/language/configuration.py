"""What a configuration says: each parameter's text with its places, and the settings of a gate."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from typing import Any, TypeVar

from ...errors import AskedWrongly
from ...smtp.settings import SmtpSettings
from ..milter import parameters as milter_parameters
from ..settings import EventLimits, GateSettings
from ..tls import parameters as tls_parameters
from . import content_parameters, limits, parameters, passed_over, refused, restriction_parameters, values
from .expansion import Expansion, unknown
from .syntax import Setting, Source
from .words import Fragment, Word, joined, split

_Made = TypeVar("_Made")

_TABLE = {one.name: one for one in parameters.PARAMETERS}
_KNOWN = frozenset((*_TABLE, *refused.BY_NAME, *passed_over.NAMES))
_OF_LISTS = frozenset(one.name for one in restriction_parameters.PARAMETERS)
_CLASSES = "smtpd_restriction_classes"
#: The first compatibility level whose defaults have lists.
_FIRST_WITH_LISTS = (1, 0, 0)
_RELAY_DOMAINS = "relay_domains"
_SMTP_FIELDS = frozenset(field.name for field in fields(SmtpSettings))
_MENTIONED = re.compile(r"\$[({]?[ \t\r\n]*([A-Za-z0-9_]+)")


def mentioned(text: str) -> frozenset[str]:
    """Find the names that a text refers to."""
    return frozenset(_MENTIONED.findall(text))


class Configuration:
    """The settings of a file, of a service and of options.

    settings: in their order; of the same name the last one counts. directory: what $config_directory is; "" = there is
    no file. names: what others refer to, as master.cf does; these, and what a setting refers to, may be of the
    operator's own. service: its name in master.cf. is_lenient: for whoever asks for flaws(). Otherwise raises
    AskedWrongly with the place of what is unknown or refused, and with the nearest name or the way out.
    """

    def __init__(
        self,
        settings: Iterable[Setting],
        directory: str = "",
        names: Iterable[str] = (),
        service: str = "smtp",
        *,
        is_lenient: bool = False,
    ) -> None:
        self.settings = tuple(settings)
        self.has_file = bool(directory)
        self._service = service
        self._given = {setting.name: setting for setting in self.settings}
        self._expansion = Expansion(self._texts(directory), parameters.NAME, _KNOWN)
        self._names = frozenset(names)
        for flaw in () if is_lenient else (*self._unknown(), *self._refused()):
            raise AskedWrongly(flaw)

    def is_given(self, name: str) -> bool:
        """Whether a parameter is set, be it to nothing."""
        return name in self._given

    @property
    def has_lists(self) -> bool:
        """Whether restriction lists judge: a parameter of theirs is set, or relay_domains needs what they have.

        From level 1 on there are lists by default. Raises AskedWrongly.
        """
        if not _OF_LISTS.isdisjoint(self._given) or self.value("compatibility_level") >= _FIRST_WITH_LISTS:
            return True
        return self.is_given(_RELAY_DOMAINS) and self.parsed(_RELAY_DOMAINS, values.has_patterns)

    @property
    def has_tls(self) -> bool:
        """Whether something is said of TLS: then it may be offered."""
        return any(map(self.is_given, tls_parameters.SWITCHES))

    @property
    def has_checks(self) -> bool:
        """Whether header or body checks are set, and not left out."""
        return any(map(self.is_given, content_parameters.CHECKS)) and not self._leaves_out("no_header_body_checks")

    @property
    def has_milters(self) -> bool:
        """Whether milters are named, and not left out."""
        names = milter_parameters.LIST, milter_parameters.MAPS
        return any(map(self.is_given, names)) and not self._leaves_out("no_milters")

    def where(self, name: str) -> str:
        """Tell the place that sets a parameter, or that it is a default."""
        return self._given[name].where if name in self._given else _default_of(name)

    def text(self, name: str) -> str:
        """Expand the text of a parameter, as it is set or by default."""
        return self._made(name, joined)

    def words(self, name: str) -> tuple[Word, ...]:
        """Expand a list to its words, each with the place that has it."""
        return self._made(name, split)

    def value(self, name: str) -> Any:
        """Make what the text of a parameter means."""
        return self.parsed(name, _TABLE[name].parse)

    def parsed(self, name: str, parse: Callable[[str], _Made]) -> _Made:
        """Parse the text of a parameter that is not in the table. parse: raises ValueError."""
        return self._made(name, lambda fragments: parse(joined(fragments)))

    def pieces(self, name: str) -> tuple[bytes, ...]:
        """Make the pieces of a text between which our name stands, which may be known only when a client comes."""
        return self._made(name, _banner if name == parameters.BANNER else _pieces)

    def classes(self) -> dict[str, tuple[Word, ...]]:
        """Find the words of each list in smtpd_restriction_classes. Raises AskedWrongly for one that is not set."""
        names = self.words(_CLASSES)
        for name in names:
            if name.text not in self._given:
                raise AskedWrongly(f"{name.where}: restriction class {name.text} is not set")
        return {name.text: self.words(name.text) for name in names}

    def user_tables(self, name: str) -> tuple[Word, ...]:
        """Find the words of a list of tables of users; none where the system's own, whom we cannot tell, are in it."""
        words = self.words(name)
        return () if any(word.text.removeprefix("proxy:").startswith("unix:passwd") for word in words) else words

    def flaws(self) -> Iterator[str]:
        """Yield a sentence, with its place, for all that is unknown, refused or of a wrong value; not of the lists."""
        yield from self._unknown()
        yield from self._refused()
        for name in self._given:
            try:
                if name != _RELAY_DOMAINS or not self.has_lists:
                    self._field(name)
            except AskedWrongly as wrong:
                yield wrong.sentence

    def knows(self, name: str) -> bool:
        """Whether a parameter is one of Postfix's or of the gate's."""
        return name in _KNOWN or passed_over.reason(name) is not None

    def gate_settings(self) -> GateSettings:
        """Make the settings of a gate, without what its lists judge by. Raises AskedWrongly."""
        found: dict[str, Any] = {}
        of_lists = _OF_LISTS | {_RELAY_DOMAINS} if self.has_lists else _OF_LISTS
        for name in self._given:
            if name in _TABLE and name not in of_lists:
                found[_TABLE[name].field] = self._field(name)
        found.pop("", None)
        smtp = {field: found.pop(field) for field in _SMTP_FIELDS & found.keys()}
        return GateSettings(smtp=SmtpSettings(**smtp), event_limits=self._event_limits(), **found)

    def _leaves_out(self, what: str) -> bool:
        with suppress(AskedWrongly):  # Whoever asks for its value is told.
            return what in self.value(parameters.OVERRIDES)
        return False

    def _event_limits(self) -> EventLimits | None:
        found = {name: self.value(name) for name in limits.LIMITS}
        if not self.has_file and not self.is_given(limits.COUNT):
            found[limits.COUNT] = 0
        if not any(found.values()):
            return None
        asked = (f"{self.where(name)}: {name}" for name, limit in found.items() if limit and self.is_given(name))
        excepted = any(map(self.is_given, (limits.EXCEPTIONS, limits.OLD_EXCEPTIONS)))
        return EventLimits(
            **found,
            anvil_rate_time_unit=self.value(limits.PERIOD),
            smtpd_client_event_limit_exceptions=self.value(limits.EXCEPTIONS) if excepted else None,
            service=self._service.encode("utf-8", "surrogateescape"),
            where=next(asked, None),
        )

    def _texts(self, directory: str) -> dict[str, Source | None]:
        defaults = {**passed_over.DEFAULTS, **refused.DEFAULTS, **{one.name: one.default for one in _TABLE.values()}}
        defaults |= restriction_parameters.BY_LEVEL
        if directory:
            defaults["config_directory"] = directory
        hostname = self._given.get(parameters.NAME)
        if hostname:
            defaults["mydomain"] = hostname.value.text.partition(".")[2] or "localdomain"
        sources = {name: None if text is None else Source(text, _default_of(name)) for name, text in defaults.items()}
        return sources | {name: setting.value for name, setting in self._given.items()}

    def _unknown(self) -> Iterator[str]:
        names = self._names.union(*(mentioned(setting.value.text) for setting in self.settings))
        with suppress(AskedWrongly):  # Whoever asks for its value is told.
            names |= {word.text for word in self.words(_CLASSES)}
        for setting in self.settings:
            if setting.name not in names and not self.knows(setting.name):
                yield f"{setting.where}: {unknown(setting.name, _KNOWN)}"

    def _refused(self) -> Iterator[str]:
        for name, setting in self._given.items():
            one = refused.BY_NAME.get(name)
            raw = setting.value.text
            if one and raw != refused.DEFAULTS.get(name) and one.is_refused(self._text_or(name, raw)):
                yield f"{setting.where}: {one.sentence}"

    def _field(self, name: str) -> Any:
        """The value of a parameter that is set; None of one that is not the gate's."""
        if name in (parameters.BANNER, milter_parameters.DAEMON_NAME):
            return self.pieces(name)
        return self.value(name) if name in _TABLE else None

    def _text_or(self, name: str, raw: str) -> str:
        """Some of these hold names that Postfix replaces for each client."""
        try:
            return joined(self._expansion.of(name))
        except ValueError:
            return raw

    def _made(self, name: str, make: Callable[[tuple[Fragment, ...]], _Made]) -> _Made:
        try:
            return make(self._expansion.of(name))
        except ValueError as wrong:
            raise AskedWrongly(f"{self.where(name)}: {name} {wrong}") from None


def _default_of(name: str) -> str:
    return f"default of {name}"


def _banner(fragments: tuple[Fragment, ...]) -> tuple[bytes, ...]:
    pieces = _pieces(fragments)
    if pieces == (b"",):
        raise ValueError("must be a text, and it is empty")
    return pieces


def _pieces(fragments: tuple[Fragment, ...]) -> tuple[bytes, ...]:
    pieces = [""]
    for fragment in fragments:
        if fragment.text is None:
            pieces.append("")
        else:
            pieces[-1] += fragment.text
    return tuple(values.printable(piece) for piece in pieces)
