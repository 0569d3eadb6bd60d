"""Debian's Dovecot tells of its logins by the hook of examples/relay, as it stands there but for its places."""

import os
import pwd
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import pop3
from tests.support.checkout import ROOT
from tests.support.dovecot import Dovecot
from tests.support.programs import need_root
from tests.support.recorder import Recorder, grants
from tests.support.waiting import until

EXAMPLE = ROOT / "examples/relay/dovecot.conf"
HOOK = ROOT / "examples/relay/dovecot-login"
PLACE = "/opt/ucspi_py/share/ucspi_py/examples/relay/dovecot-login"


def configuration(recorder: Recorder) -> str:
    """The example's, with a hook that asks this recorder and is run by this Python."""
    relay = shlex.join(pop3.python_for_all())
    hook = recorder.folder / "hook"
    hook.write_text(
        HOOK.read_text().replace("pyrelay allow", f"{relay} allow").replace("/run/relay/socket", recorder.socket)
    )
    hook.chmod(0o755)
    # Debian's dovecot-imapd may not be there.
    text = re.sub(r"(?ms)^service imap.*?^}\n", "", EXAMPLE.read_text())
    assert PLACE in text
    return text.replace(PLACE, str(hook))


@contextmanager
def mailboxes(recorder: Recorder) -> Iterator[Dovecot]:
    """A Dovecot whose user is joe."""
    need_root()
    with Dovecot({"joe": "his password"}, configuration(recorder)) as dovecot:
        yield dovecot


def read_mail(dovecot: Dovecot) -> None:
    """As a user's mail program does."""
    session = dovecot.log_in("joe", "his password")
    assert session.stat() == (0, 0)
    session.quit()


@pytest.mark.parametrize("is_trusted", [True, False])
def test_who_has_logged_in_gets_a_grant(is_trusted: bool) -> None:
    """By Dovecot's word where it is trusted, else by the client's socket, as no TLS is between."""
    recorder = Recorder("--private", *(("--trust", "dovecot") if is_trusted else ()))
    with mailboxes(recorder) as dovecot:
        recorder.options += ["--ports", "110" if is_trusted else str(dovecot.port)]
        with recorder:
            read_mail(dovecot)

            uid = pwd.getpwnam("dovecot").pw_uid
            (grant,) = grants(recorder.store, dovecot.ip)
            assert (grant.user, grant.by) == (b"joe", b"%d@%s" % (uid, os.uname().nodename.encode()))
            assert 890 < grant.expires - grant.renewed <= 900


def test_without_a_recorder_mail_is_read_and_the_log_says_why() -> None:
    """In Dovecot's own log, one line."""
    recorder = Recorder()
    try:
        with mailboxes(recorder) as dovecot:
            read_mail(dovecot)
            line = f"login not recorded: unable to ask {recorder.socket}: file does not exist"
            until(lambda: line in dovecot.log(), f"that in {dovecot.log()}")
            assert dovecot.log().count("not recorded") == 1
    finally:
        recorder.remove()
