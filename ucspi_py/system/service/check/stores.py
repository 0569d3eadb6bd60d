"""The stores of a service's screens and gate, asked about nobody. Never makes or changes one."""

import asyncio
import os
from collections.abc import Iterator

from ....core.errors import Failure, error_words
from ....core.greylist.settings import GreylistSettings
from ....core.greylist.visit import TENANT as NETWORKS
from ....core.ledger.changes import TENANT as GRANTS
from ....core.ledger.settings import RelaySettings
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from ....core.store import url
from ....core.store.change import Tenant
from ...fleet import fleet
from ...store import look, sqlite_reader  # noqa: F401  the user of the service may be able to import nothing
from ...store.access import check_writable

#: A key that no client has.
_NOBODY = "0.0.0.0"


def looked(settings: ServerSettings, *, asks: bool = True) -> Iterator[Finding]:
    """Yield whether each store can be used; from where a file is missing, its folder.

    asks: whether servers are asked, too.
    """
    program = settings.program
    if settings.fleet and asks:
        yield _fleet(settings.fleet)
    for screen in dict.fromkeys(program.screens):
        if not asks and isinstance(screen, GreylistSettings | RelaySettings) and url.is_url(screen.store):
            continue
        if isinstance(screen, GreylistSettings):
            yield _written("greylist", screen.store)
        elif isinstance(screen, RelaySettings):
            yield _ledger(screen.store)
    lists = program.gate and program.gate.restrictions
    if asks and lists and lists.greylist and url.is_url(lists.greylist.store):  # of a file the gate's own check tells
        yield _asked("check_greylist", lists.greylist.store, NETWORKS)


def _written(what: str, store: str) -> Finding:
    if not url.is_url(store):
        path = os.path.abspath(store)
        try:
            check_writable(path)
        except OSError as wrong:
            return error(what, f"nobody waits while {wrong.filename} cannot be written: {error_words(wrong.errno)}")
    return _asked(what, store, NETWORKS)


def _ledger(store: str) -> Finding:
    if not url.is_url(store) and not os.path.exists(store):
        return warning("relay", f"{store} does not exist: nobody relays by it until pyrelay serve has made it")
    return _asked("relay", store, GRANTS)


def _fleet(store: str) -> Finding:
    try:
        asyncio.run(fleet.look(store))
    except Failure as failure:
        return error("fleet", failure.sentence)
    return Finding("fleet", f"{url.shown(store)} can be used")


def _asked(what: str, store: str, tenant: Tenant) -> Finding:
    try:
        asyncio.run(look.find(store, tenant, (_NOBODY,)))
    except Failure as failure:
        return error(what, failure.sentence)
    return Finding(what, f"{url.shown(store)} can be used")
