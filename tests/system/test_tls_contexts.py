"""Renewed keys: used without a signal, and never instead of good ones where they are no good."""

import asyncio
import datetime
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from ucspi_py.core.errors import Failure
from ucspi_py.core.tls.settings import Pair, TlsSettings
from ucspi_py.system.tls.contexts import Contexts
from ucspi_py.system.tls.keys import KeyFiles

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


class Service:
    """One pair in use, and what was said of it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.said: list[str] = []
        self.files = KeyFiles((pair,))
        self.contexts = Contexts(TlsSettings((pair,)), self.said.append)
        self.use()

    def use(self) -> None:
        self.contexts.use(self.files.changed() or ())

    def look(self) -> bool:
        return asyncio.run(self.contexts.look(self.files))

    def put(self, certificate: str | None = None, key: str | None = None) -> None:
        """Put other files into the place of ours, as certbot and cp -a do: they are older than this moment."""
        for new, old in ((certificate, self.pair.certificate), (key, self.pair.key)):
            if new:
                os.utime(new, (1e9, 1e9))
                shutil.move(new, old)


@pytest.fixture
def service(authority: Authority) -> Service:
    return Service(authority.pair("mx.example"))


def test_without_keys_there_is_no_context(authority: Authority) -> None:
    with pytest.raises(Failure, match="no keys for TLS"):
        Contexts(TlsSettings((authority.pair("mx.example"),)), print).current  # noqa: B018


def test_what_has_not_changed_is_not_read_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucspi_py.system.rules.whole_file._TICK", 0.0)
    service.use()
    was = service.contexts.current
    assert service.look()
    assert service.contexts.current is was


def test_files_that_have_just_changed_are_read_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their next version may have the same time."""
    monkeypatch.setattr("ucspi_py.system.rules.whole_file._TICK", 3600.0)
    was = service.contexts.current
    assert service.look()
    assert service.contexts.current is not was


def test_a_renewed_pair_is_used(service: Service, authority: Authority) -> None:
    was = service.contexts.current
    new = authority.pair("mx.example", file="new")
    service.put(new.certificate, new.key)
    assert service.look()
    assert service.contexts.current is not was
    assert service.said == []


def test_a_certificate_that_comes_before_its_key_waits_for_it(service: Service, authority: Authority) -> None:
    """What is in use stays, which is said once."""
    was = service.contexts.current
    new = authority.pair("mx.example", file="new")
    service.put(certificate=new.certificate)
    assert not service.look()
    service.look()
    assert service.contexts.current is was
    certificate, key, _ = service.pair
    assert service.said == [
        f"unable to use {certificate} with {key}: key values mismatch; the certificates in use stay"
    ]
    service.put(key=new.key)
    assert service.look()
    assert service.contexts.current is not was
    assert len(service.said) == 1


def test_a_pair_that_has_gone_stays_in_use(service: Service) -> None:
    was = service.contexts.current
    os.unlink(service.pair.key)
    assert not service.look()
    assert not service.look()
    assert service.contexts.current is was
    assert service.said == [f"unable to read {service.pair.key}: file does not exist; the certificates in use stay"]


def test_what_is_wrong_is_said_again_after_it_was_right(service: Service, tmp_path: Path) -> None:
    for _ in range(2):
        os.rename(service.pair.key, tmp_path / "away")
        service.look()
        os.rename(tmp_path / "away", service.pair.key)
        service.look()
    assert len(service.said) == 2


def test_no_descriptor_is_left_open(service: Service, authority: Authority) -> None:
    before = os.listdir("/proc/self/fd")
    service.put(certificate=authority.pair("mx.example", file="new").certificate)
    service.look()
    os.unlink(service.pair.key)
    service.look()
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (15 * 24 * HOUR + HOUR, None),
        (14 * 24 * HOUR + HOUR, "is valid for 14 days only"),
        (24 * HOUR + HOUR, "is valid for 1 day only"),
        (HOUR, "is valid for 0 days only"),
        (-HOUR, "is no longer valid"),
    ],
)
def test_the_last_days_of_a_certificate_are_counted(
    authority: Authority, left: datetime.timedelta, words: str | None
) -> None:
    end = datetime.datetime.now(datetime.UTC) + left
    service = Service(authority.pair("mx.example", not_after=end))
    service.look()
    assert service.said == ([f"{service.pair.certificate} {words}"] if words else [])


class Given:
    """A source of keys that gives what it is told to."""

    def __init__(self, fds: Sequence[int] | None) -> None:
        self.fds = fds

    async def fetch(self) -> Sequence[int] | None:
        return self.fds


def test_nothing_new_changes_nothing(service: Service) -> None:
    was = service.contexts.current
    assert asyncio.run(service.contexts.look(Given(None)))
    assert service.contexts.current is was


def test_another_process_has_said_it(service: Service) -> None:
    """Whoever was forked before says nothing twice."""
    os.unlink(service.pair.key)
    pid = os.fork()
    if not pid:
        service.look()
        os._exit(len(service.said))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    service.look()
    assert service.said == []
