"""Becoming somebody else, in a forked child: for good, with one group and no other."""

import os
from functools import partial

import pytest

from tests.support.forked import in_child
from tests.support.programs import need_root
from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.system.process import privileges


def test_one_group_and_no_other() -> None:
    """Root's supplementary groups are gone, and so is root, whichever of its ids is asked for."""
    need_root()

    def check() -> None:
        os.setgroups([0, 1, 2])
        privileges.become(54321, 54322)
        assert os.getresuid() == (54321,) * 3
        assert os.getresgid() == (54322,) * 3
        assert os.getgroups() == [54322]
        for attempt in (partial(os.setuid, 0), partial(os.setgid, 0), partial(os.setgroups, [0])):
            with pytest.raises(PermissionError):
                attempt()

    in_child(check)


def test_a_group_alone() -> None:
    """-g without -u: root with that group only."""
    need_root()

    def check() -> None:
        os.setgroups([0, 1, 2])
        privileges.become(None, 54322)
        assert (os.getuid(), os.getgid(), os.getgroups()) == (0, 54322, [54322])

    in_child(check)


def test_nobody_is_asked_for() -> None:
    """Everything stays as it is."""
    before = os.getresuid(), os.getresgid(), os.getgroups()
    privileges.become(None, None)
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


def test_root_that_could_be_had_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system on which setuid did not give up root for good: nobody is served there."""
    need_root()

    def check() -> None:
        monkeypatch.setattr(os, "setuid", os.seteuid)  # as with a saved set-user-ID
        with pytest.raises(Failure, match="unable to give up root"):
            privileges.become(54321, None)

    in_child(check)


def test_who_may_not() -> None:
    """Without root it fails in djb's words, with 111."""
    need_root()

    def check() -> None:
        os.setuid(54321)
        with pytest.raises(Failure, match="unable to set gid: permission denied") as failure:
            privileges.become(None, 54322)
        assert failure.value.exit_code == 111
        with pytest.raises(Failure, match="unable to set uid: permission denied"):
            privileges.become(54322, None)

    in_child(check)


@pytest.mark.parametrize(
    ("text", "number"), [(None, None), ("0", None), ("root", None), ("nobody", 65534), ("54321", 54321)]
)
def test_users(text: str | None, number: int | None) -> None:
    """By name or number; 0 is nobody else, as in C."""
    assert privileges.user_id(text) == number


@pytest.mark.parametrize("text", ["", "no-such-name", "-1", "1x", "4294967295", "²"])
def test_users_and_groups_that_are_none(text: str) -> None:
    """Never root by mistake: 100."""
    for ask in (privileges.user_id, privileges.group_id):
        with pytest.raises(AskedWrongly):
            ask(text)
    assert privileges.group_id("daemon") == 1
    assert privileges.user_id("4294967294") == 4294967294
