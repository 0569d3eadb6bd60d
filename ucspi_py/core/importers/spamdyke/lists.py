"""Lists of clients, senders, recipients and zones -> restrictions. Never reads an entry itself."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from . import keys
from .conf import Conf, Entry, Setting, entries
from .item import NO_ENTRY, Item, Kind, literal, passed, unsaid

OK, REJECT = "OK", "REJECT"
_UNREAD = "the file cannot be read"
_IMPORT_AGAIN = "import as a user who may read it, or take the line out"
_ZONE = re.compile(
    r"(?:[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII
)
_VERIFIED = "a name counts only where it leads back to the address of the client"


class List(NamedTuple):
    """A list of spamdyke. option: its options are OPTION-entry and OPTION-file. restriction: what asks the table."""

    option: str
    restriction: str
    find: keys.Finder
    action: str
    note: str = ""


WHITELISTS = (
    List("ip-whitelist", "check_client_access", keys.of_client, OK),
    List("rdns-whitelist", "check_client_access", keys.of_name, OK, _VERIFIED),
    List("sender-whitelist", "check_sender_access", keys.of_address, OK),
    List("recipient-whitelist", "check_recipient_access", keys.of_address, OK),
)
BLACKLISTS = (
    List("ip-blacklist", "check_client_access", keys.of_client, REJECT),
    List("rdns-blacklist", "check_reverse_client_hostname_access", keys.of_name, REJECT),
    List("sender-blacklist", "check_sender_access", keys.of_address, REJECT),
    List("recipient-blacklist", "check_recipient_access", keys.of_address, REJECT),
)
WHITE_ZONES: dict[str, tuple[str, ...]] = {
    "dns-whitelist": ("permit_dnswl_client",),
    "rhs-whitelist": ("permit_rhswl_client",),
}
BLACK_ZONES: dict[str, tuple[str, ...]] = {
    "dns-blacklist": ("reject_rbl_client",),
    "rhs-blacklist": ("reject_rhsbl_reverse_client", "reject_rhsbl_sender"),
}
_ZONE_NOTES = {"rhs-whitelist": f"asks for the client's name, and not for the domain of the sender; {_VERIFIED}"}


def table(conf: Conf, some: List) -> Iterator[Item]:
    """Say a list as a restriction with its table; name each entry that is not said."""
    settings: list[Setting] = []
    lines: list[str] = []
    action, told = _action(conf, some)
    for setting, found in entries(conf, some.option):
        if found is None:
            yield unsaid(setting, _UNREAD, _IMPORT_AGAIN)
            continue
        settings.append(setting)
        for entry in found:
            of_entry = some.find(entry.text, some.action == REJECT)
            if of_entry.why:
                yield _odd(setting, entry, of_entry.why)
            if of_entry.keys:
                place = [] if entry.place == setting.place else [f"# {entry}"]
                lines += [*place, *(f"      {{{literal(key)} = {action}}}" for key in of_entry.keys)]
    if not lines:
        yield from (passed(one, NO_ENTRY) for one in settings)
        return
    settings += told
    yield Item(
        Kind.RESTRICTION, tuple(settings), (f"    {some.restriction} inline:{{", *lines, "    }"), note=some.note
    )


def zones(conf: Conf, option: str, restrictions: tuple[str, ...]) -> Iterator[Item]:
    """Say each zone of an option."""
    for setting, found in entries(conf, option):
        if found is None:
            yield unsaid(setting, _UNREAD, _IMPORT_AGAIN)
            continue
        named = [one for one in found if _ZONE.fullmatch(one.text)]
        for entry in found:
            if entry not in named:
                yield _odd(setting, entry, "it is no zone")
        lines = [line for entry in named for line in _asked(setting, entry, restrictions)]
        yield Item(Kind.RESTRICTION, (setting,), tuple(lines), note=_ZONE_NOTES.get(option, ""))


def _asked(setting: Setting, entry: Entry, restrictions: tuple[str, ...]) -> list[str]:
    place = [] if entry.place == setting.place else [f"# {entry}"]
    return [*place, *(f"    {restriction} {entry.text}" for restriction in restrictions)]


def _action(conf: Conf, some: List) -> tuple[str, list[Setting]]:
    """What the table says, and the setting with the words that a client hears."""
    text = conf.last(f"rejection-text-{some.option}")
    if some.action != REJECT or not text or not is_text(text.value):
        return some.action, []
    return f"{some.action} {literal(text.value)}", [text]


def is_text(text: str) -> bool:
    """Whether a text may stand in a table within main.cf."""
    return bool(text) and text.isprintable() and text.isascii() and not set("{}") & {*text}


def _odd(setting: Setting, entry: Entry, why: str) -> Item:
    """Name an entry, where it stands."""
    return unsaid(setting._replace(place=entry.place, written=entry.text), why, "write what you mean into the table")
