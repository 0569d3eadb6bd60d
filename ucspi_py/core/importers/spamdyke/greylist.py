"""graylist-... -> check_greylist and its parameters, with whom it spares or is alone about."""

import re
from collections.abc import Iterator

from . import keys
from .conf import Conf, Setting
from .item import Item, Kind, passed, said, unsaid
from .lists import OK, List, is_text, table
from .numbers import number

_CLASS = "greylisting"
_PATH = re.compile(r"/[\w./@:+-]*", re.ASCII)
#: Before this came "always": the levels that wait for nobody, for all but the exceptions, and for these alone.
_ALL, _SOME = ("always", "always-create-dir"), ("only", "only-create-dir")
LEVELS = ("none", *_ALL, *_SOME)
_OPTIONS = ("graylist-dir", "graylist-min-secs", "graylist-max-secs", "rejection-text-graylist")
_EXCEPTIONS = tuple(f"graylist-exception-{who}-{how}" for who in ("ip", "rdns") for how in ("entry", "file"))
_STORE = "a new store: who waited at spamdyke waits once more; the client's network counts beside sender and recipient"


def greylist(conf: Conf) -> Iterator[Item]:
    """Say the greylist, as the last restrictions, with its times."""
    level, folder = conf.last("graylist-level"), conf.last("graylist-dir")
    if not level or level.value not in (*_ALL, *_SOME) or not folder:
        why = "spamdyke does not graylist without graylist-level and graylist-dir, or with level none"
        given = [one for one in (level,) if one and one.value in LEVELS]
        yield from (passed(one, why) for one in [*given, *conf.all(*_OPTIONS, *_EXCEPTIONS)])
        return
    if not _PATH.fullmatch(folder.value):
        yield unsaid(folder, "it is no path that a list may have", "name a folder without blanks in it")
        return
    store = f"check_greylist {folder.value.rstrip('/')}/db"
    if level.value in _ALL:
        yield from _exceptions(conf, OK)
        yield Item(Kind.RESTRICTION, (level, folder), (f"    {store}",), note=_note(level))
    else:
        yield Item(
            Kind.PARAMETER,
            (level, folder),
            (f"smtpd_restriction_classes = {_CLASS}", f"{_CLASS} = {store}"),
            note=_note(level),
        )
        yield from _exceptions(conf, _CLASS)
    yield from _times(conf)


def _note(level: Setting) -> str:
    alone = "" if level.value.endswith("create-dir") else "; for all domains, also those without a folder"
    return _STORE + alone


def _exceptions(conf: Conf, action: str) -> Iterator[Item]:
    yield from table(conf, List("graylist-exception-ip", "check_client_access", keys.of_client, action))
    yield from table(conf, List("graylist-exception-rdns", "check_client_access", keys.of_name, action))


def _times(conf: Conf) -> Iterator[Item]:
    least, most, text = (conf.last(name) for name in _OPTIONS[1:])
    delay = number(least)
    if least is None or delay == 0:
        yield Item(
            Kind.PARAMETER, (least,) if least else (), ("greylist_delay = 1s",), note="no delay is a second here"
        )
    elif delay:
        yield said(Kind.PARAMETER, least, f"greylist_delay = {delay}s")
    age = number(most)
    if most and age:
        yield said(Kind.PARAMETER, most, f"greylist_max_age = {age}s")
    elif most and age == 0:
        yield passed(most, "what was let in and is not seen for 35 days waits again; set greylist_max_age")
    if text and is_text(text.value) and "%" not in text.value and "$" not in text.value:
        yield said(Kind.PARAMETER, text, f"greylist_text = {text.value}")
