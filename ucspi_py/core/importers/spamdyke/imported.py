"""spamdyke.conf -> a main.cf of the gate with the words of its run script and rules as comments."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...text import shown
from . import greylist, left_out, lists, logins, parameters, relaying, running
from .conf import Conf, Read, parse
from .item import Item, Kind, NotSaid, passed, unsaid

_HEAD = "compatibility_level = 3.6", "parent_domain_matches_subdomains ="
_LISTS = "smtpd_recipient_restrictions"
_RELAYS = "    permit_sasl_authenticated"


class Imported(NamedTuple):
    """The configuration of the gate. main_cf: its text. not_said: what is missing in it."""

    main_cf: str
    not_said: tuple[NotSaid, ...]


def import_spamdyke(path: str, text: str, read: Read) -> Imported:
    """Say a spamdyke.conf of version 5 in the gate's language; those of 3 and 4 as far as the names are known.

    path: its name, for the places of lines. read: reads the files that it names, None where it cannot.
    """
    conf = parse(path, text, read)
    items = [*_items(conf)]
    missing = tuple(_not_said(one) for one in items if one.kind is Kind.UNSAID)
    return Imported("\n".join(_document(path, items, missing)) + "\n", missing)


def _items(conf: Conf) -> list[Item]:
    """All that becomes of the settings; each of them is in one at least."""
    found = [*relaying.relaying(conf), *parameters.control(conf), *parameters.limits(conf)]
    found += [*logins.tls(conf), *logins.logins(conf), *running.running(conf), *relaying.level(conf)]
    found += [*_restrictions(conf), *parameters.recipients(conf), *greylist.greylist(conf)]
    found += (unsaid(one, why, "mend it, and import again") for one, why in conf.wrong)
    found += (passed(one, "it is taken back") for one in conf.taken_back)
    told = frozenset(setting.place for item in found for setting in item.settings)
    return [*found, *left_out.left_out(conf, told)]


def _restrictions(conf: Conf) -> Iterator[Item]:
    """Whoever is on a whitelist first, as there any of these counts before all others."""
    for some in lists.WHITELISTS:
        yield from lists.table(conf, some)
    for option, asked in lists.WHITE_ZONES.items():
        yield from lists.zones(conf, option, asked)
    yield from parameters.flags(conf)
    for some in lists.BLACKLISTS:
        yield from lists.table(conf, some)
    yield from parameters.senders(conf)
    for option, asked in lists.BLACK_ZONES.items():
        yield from lists.zones(conf, option, asked)


def _not_said(item: Item) -> NotSaid:
    (setting,) = item.settings
    return NotSaid(_plain(setting.place), _plain(setting.written), item.note, item.remedy)


def _document(path: str, items: list[Item], missing: tuple[NotSaid, ...]) -> Iterator[str]:
    yield f"# {path}, as pysmtpgate says it."
    yield from (f"# not said: {one}" for one in missing)
    yield from _run(items)
    yield from _told(one for one in items if one.kind is Kind.RULE)
    yield ""
    yield from _HEAD
    yield from _told(one for one in items if one.kind is Kind.PARAMETER)
    yield f"{_LISTS} ="
    yield from _list(items)
    yield from _told(one for one in items if one.kind is Kind.PASSED)


def _run(items: list[Item]) -> Iterator[str]:
    """The run script, each word with where it comes from."""
    kinds = (Kind.ENVIRONMENT, Kind.SERVER, Kind.SCREEN)
    some = [one for one in items if one.kind in kinds]
    yield "# the run script, beside the words of pytcpserver that you have:"
    yield from (f"#   {word}  # {_because(one)}" for one in some for word in one.lines)
    words = {kind: [word for one in some if one.kind is kind for word in one.lines] for kind in kinds}
    yield from (f"#     {line}" for line in words[Kind.ENVIRONMENT])
    server = " ".join(["pytcpserver", *dict.fromkeys(words[Kind.SERVER])])
    screens = "".join(f" {line}" for line in words[Kind.SCREEN])
    yield f"#     exec {server} 0 smtp{screens} pysmtpgate -f main.cf /var/qmail/bin/qmail-smtpd"


def _list(items: list[Item]) -> Iterator[str]:
    """The one list; behind a filter-level that refuses everybody nothing more is asked."""
    some = [one for one in items if one.kind is Kind.RESTRICTION]
    level = [one for one in some if one.settings[0].name == "filter-level"]
    if level:
        yield from _told(level)
        yield from (f"# {_plain(one)}: filter-level comes first" for item in some[1:] for one in item.settings)
        return
    yield _RELAYS
    yield from _told(some)


def _told(items: Iterable[Item]) -> Iterator[str]:
    for one in items:
        if one.kind is Kind.PASSED:
            yield f"# {_because(one)}"
            continue
        yield from (f"# {_plain(setting)}" for setting in one.settings)
        if one.note:
            yield f"#   {one.note}"
        rule = "# rules: " if one.kind is Kind.RULE else ""
        yield from (f"{rule}{line}" for line in map(_comment, one.lines))


def _comment(line: str) -> str:
    return _plain(line) if line.startswith("#") else line


def _because(item: Item) -> str:
    places = ", ".join(_plain(one) for one in item.settings)
    return ": ".join(part for part in (places, item.note) if part)


def _plain(text: object) -> str:
    """A text of a file, for one line."""
    return shown(str(text).encode("utf-8", "surrogateescape"))
