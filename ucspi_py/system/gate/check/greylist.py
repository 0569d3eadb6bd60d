"""What keeps check_greylist from its work, looked at as a worker will. Never makes a store."""

import os

from ....core.errors import error_words
from ....core.gate.check.reading import Reading
from ....core.gate.greylist.parameters import CLIENTS, RECIPIENTS
from ....core.greylist.triplet.settings import TripletSettings
from ....core.store import url
from ...auth import reach
from ...greylist.whitelists import Whitelists
from ...store.access import check_writable


def flaws(reading: Reading, uid: int | None, gid: int | None) -> tuple[str, ...]:
    """Tell what is wrong with the whitelists and the store of check_greylist.

    reading: with one. uid, gid: what a worker becomes, None = what we are.
    """
    store = reading.greylists[0].store
    said: list[str] = []
    files = (tuple(word.text for word in reading.words(name)) for name in (CLIENTS, RECIPIENTS))
    Whitelists(
        TripletSettings(store, whitelist_clients=next(files), whitelist_recipients=next(files)), said.append
    ).read()
    return (*said, *_store_flaws(store, uid, gid))


def _store_flaws(store: str, uid: int | None, gid: int | None) -> tuple[str, ...]:
    """A file is made where it is missing, and SQLite has two others beside it."""
    if url.is_url(store):
        return ()
    path = os.path.abspath(store)
    failure = reach.errno_as(lambda: check_writable(path), uid, gid)
    if not failure:
        return ()
    why = "cannot become the user who is to write there" if failure == reach.NO_USER else error_words(failure)
    return (f"nobody waits while {path} cannot be written: {why}",)
