"""What the tests of this folder share: how a gate with milters is started, before each of two backends."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.backends.known import Demo, Mailfront
from tests.support.certificates import Authority
from tests.support.milters.site import DNS, Around, Site, site
from tests.support.nameserver import running


class Start(Protocol):
    """Starts a gate in a folder with milters. more: lines of main.cf."""

    def __call__(self, folder: Path, milters: Sequence[str], *more: str) -> AbstractContextManager[Site]: ...


@pytest.fixture(scope="package")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    """A name server and an authority."""
    folder = tmp_path_factory.mktemp("around")
    with running(DNS, folder) as name_server:
        yield Around(name_server, Authority(folder))


@pytest.fixture(scope="module", params=[Mailfront, Demo], ids=lambda made: made.__name__)
def start(request: pytest.FixtureRequest, around: Around) -> Start:
    """Start a gate before Debian's mailfront or the example's backend."""
    return partial(site, request.param, around)


@pytest.fixture(scope="package")
def start_before_mailfront(around: Around) -> Start:
    """Start a gate before Debian's mailfront alone, where it is not the backend that is looked at."""
    return partial(site, Mailfront, around)
