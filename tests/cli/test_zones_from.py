"""The zones of a run script or of a list, read and not asked; what cannot be read is said, and is no empty list."""

from pathlib import Path

import pytest

from ucspi_py.cli import zones_from
from ucspi_py.core.errors import AskedWrongly, Failure

RUN = '#!/bin/sh\nexec 2>&1\nexec tcpserver -l "$LOCAL" -x rules.cdb 0 smtp \\\n  {}\n'

SCRIPTS = [
    (RUN.format("rblsmtpd -r bl -a al qmail-smtpd 2>&1"), "bl al"),
    (RUN.format("/usr/local/bin/pyrblsmtpd -b -rbl=127.0.0.2 qmail-smtpd"), "bl"),
    (RUN.format("'/usr/local/bin/pyrblsmtpd' -r bl \"$QMAIL/bin/qmail-smtpd\""), "bl"),
    (RUN.format("rblsmtpd -r 'bl:it costs $5, don`t ask' qmail-smtpd"), "bl"),
    (RUN.format('rblsmtpd -r "bl:it costs \\$5" qmail-smtpd'), "bl"),
    (RUN.format("rblsmtpd -r bl rblsmtpd -r dul qmail-smtpd"), "bl dul"),
    (RUN.format("rblsmtpd -r bl fixcrio rblsmtpd -r dul qmail-smtpd"), "bl dul"),
    (RUN.format('rblsmtpd -r bl pygreylist -s "$STORE" qmail-smtpd'), "bl"),
    (RUN.format('rblsmtpd -r bl pyrelay check -s "$STORE" qmail-smtpd'), "bl"),
    (RUN.format('pyrelay check -s "$STORE" rblsmtpd -r bl qmail-smtpd'), "bl"),
    (RUN.format('pygreylist -s "$STORE" rblsmtpd -r bl qmail-smtpd'), "bl"),
    ("#!/bin/sh\necho rblsmtpd starts\n# don't use rblsmtpd -r old\nexec rblsmtpd -r bl qmail-smtpd\n", "bl"),
    ("#!/bin/execlineb -P\ntcpserver 0 25\nrblsmtpd -r bl -r dul\nqmail-smtpd\n", "bl dul"),
    ("[Service]\nExecStart=/bin/sh -c 'exec tcpserver 0 25 rblsmtpd -r bl qmail-smtpd'\n", "bl"),
    ("[Service]\nExecStart=/usr/bin/pytcpserver 0 25 /usr/bin/pyrblsmtpd -r bl \\\n  -r dul qmail-smtpd\n", "bl dul"),
]

LISTS = [
    ("# ours\n\nbl\n  hidden@key.dul=127.0.0.4*-1:It's %IP%, see rblsmtpd\n", "bl hidden"),
    ("bl.example.org\r\ndul.example.org\r\n", "bl.example.org dul.example.org"),
]

UNREADABLE = [
    (RUN.format("rblsmtpd $RBLS qmail-smtpd"), "only a shell knows what $RBLS is"),
    (RUN.format("rblsmtpd -r bl $RBLS qmail-smtpd"), "only a shell knows what $RBLS is"),
    (RUN.format('rblsmtpd -r "$ZONE" qmail-smtpd'), "only a shell knows what $ZONE is"),
    (RUN.format("rblsmtpd -r bl -r key.${ZONE} qmail-smtpd"), "only a shell knows what key.${ZONE} is"),
    (RUN.format("rblsmtpd `cat zones` qmail-smtpd"), "only a shell knows what `cat zones` is"),
    (RUN.format("rblsmtpd $(cat zones) qmail-smtpd"), "only a shell knows what $(cat zones) is"),
    (RUN.format("rblsmtpd -t $SECONDS -r bl qmail-smtpd"), "only a shell knows what $SECONDS is"),
    (RUN.format("rblsmtpd -r 'bl qmail-smtpd"), "no closing quotation"),
    (RUN.format("rblsmtpd qmail-smtpd"), "unable to find a zone in"),
    (RUN.format("qmail-smtpd"), "unable to find a zone in"),
    ("#!/bin/sh\nexec ./really-run\n", "unable to find a zone in"),
    ('#!/bin/sh\nexec "$SCREEN" -r bl qmail-smtpd\n', "unable to find a zone in"),
    ("", "unable to find a zone in"),
    ("# nothing yet\n", "unable to find a zone in"),
]

WRONG = [
    (RUN.format("rblsmtpd -r 'a.test b.test' qmail-smtpd"), "zone 'a.test b.test'"),
    (RUN.format("rblsmtpd -Z -r bl qmail-smtpd"), "-Z"),
    ("bl\nzen..example\n", "line 2: zone 'zen..example'"),
    ("exec tcpserver 0 smtp qmail-smtpd\n", "line 1: zone 'exec tcpserver 0 smtp qmail-smtpd'"),
    ("bl dul\n", "line 1: zone 'bl dul'"),
    ("bl, dul\n", "line 1: zone 'bl, dul'"),
]


def zones(folder: Path, text: str) -> str:
    """What people call the zones of a file."""
    file = folder / "run"
    file.write_text(text)
    return b" ".join(
        zone.alias for screen in zones_from.read(str(file)).dnsbl_screens for zone in screen.zones
    ).decode()


@pytest.mark.parametrize(("text", "expected"), SCRIPTS + LISTS, ids=repr)
def test_what_can_be_read(text: str, expected: str, tmp_path: Path) -> None:
    """Every zone of every screen, in written order."""
    assert zones(tmp_path, text) == expected


@pytest.mark.parametrize(("text", "why"), UNREADABLE, ids=repr)
def test_what_cannot_be_read(text: str, why: str, tmp_path: Path) -> None:
    """Exit code 111: with fewer zones than the server has, a client would pass for accepted."""
    with pytest.raises(Failure) as failure:
        zones(tmp_path, text)

    assert failure.value.exit_code == 111
    assert why in failure.value.sentence
    assert str(tmp_path) in failure.value.sentence


@pytest.mark.parametrize(("text", "why"), WRONG, ids=repr)
def test_what_is_wrong(text: str, why: str, tmp_path: Path) -> None:
    """Exit code 100, with the file and the word."""
    with pytest.raises(AskedWrongly) as wrong:
        zones(tmp_path, text)

    assert why in wrong.value.sentence
    assert str(tmp_path) in wrong.value.sentence


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder, or nothing."""
    for path, why in ((tmp_path, "is a directory"), (tmp_path / "none", "file does not exist")):
        with pytest.raises(Failure, match=why) as failure:
            zones_from.read(str(path))
        assert failure.value.exit_code == 111
