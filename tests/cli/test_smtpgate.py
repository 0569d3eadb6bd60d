"""The words of pysmtpgate, alone and among others of ours."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import ours
from ucspi_py.cli.chain import program
from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.core.gate.language.parameters import PARAMETERS
from ucspi_py.core.gate.settings import EventLimits, GateSettings
from ucspi_py.core.service.settings import Program
from ucspi_py.core.smtp.settings import SmtpSettings

#: What a file alone asks for.
BY_DEFAULT = EventLimits(smtpd_client_connection_count_limit=50)


def test_a_gate_stands_before_the_program() -> None:
    """Without a word it is as by default; the words of the program are its own."""
    assert program.read(["pysmtpgate", "qmail-smtpd", "-o", "x"]) == Program(
        (), ("qmail-smtpd", "-o", "x"), GateSettings()
    )


def test_options_stand_over_the_file(tmp_path: Path) -> None:
    """Wherever they are written."""
    file = tmp_path / "gate.cf"
    file.write_text("\ufeffsmtpd_timeout = 10\nsmtpd_recipient_limit = 20\n")

    gate = program.read(["pysmtpgate", "-o", "smtpd_timeout=30", "-f", str(file), "smtpd"]).gate

    assert gate == GateSettings(smtp=SmtpSettings(timeout=30, recipient_limit=20), event_limits=BY_DEFAULT)


def test_screens_stand_before_the_gate() -> None:
    """In their order."""
    words = ["pyrblsmtpd", "-r", "zone", "pygreylist", "-s", "db", "pysmtpgate", "-o", "smtpd_timeout=1m", "smtpd", "x"]

    read = program.read(words)

    assert [screen.log_name for screen in read.screens] == [b"rblsmtpd", b"greylist"]
    assert (read.gate and read.gate.smtp.timeout, read.argv) == (60, ("smtpd", "x"))


@pytest.mark.parametrize("behind", [["pygreylist", "-s", "db", "smtpd"], ["pysmtpgate", "smtpd"]])
def test_nothing_of_ours_stands_behind_a_gate(behind: list[str]) -> None:
    """By its path, either: there it would be a process for each client, and ask nobody in time."""
    with pytest.raises(AskedWrongly, match=f"{behind[0]} stands behind pysmtpgate, which must be the last"):
        program.read(["pysmtpgate", *behind])
    with pytest.raises(AskedWrongly):
        program.read(["pysmtpgate", ours(behind[0]), *behind[1:]])


def test_a_wrong_word_names_the_program() -> None:
    """Among those of others."""
    with pytest.raises(AskedWrongly, match=r"^pysmtpgate: No such option"):
        program.read(["pysmtpgate", "-z", "smtpd"])


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """A FIFO does not hang, a folder is none."""
    os.mkfifo(tmp_path / "fifo")
    for name, why in (("missing", "file does not exist"), ("fifo", "not a regular file"), ("", "is a directory")):
        path = os.path.join(tmp_path, name)
        with pytest.raises(Failure, match=f"^unable to read {path}: {why}$"):
            program.read(["pysmtpgate", "-f", path, "smtpd"])


def test_wrong_parameters_end_with_100(tmp_path: Path) -> None:
    """And with the line of the file, under pytcpserver too."""
    (tmp_path / "gate.cf").write_text("\nsmtpd_timeot = 10\n")
    words = [ours("pysmtpgate"), "-f", "gate.cf", "true"]

    alone = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    absorbed = subprocess.run(
        [ours("pytcpserver"), "127.0.0.1", "0", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    sentence = "fatal: gate.cf line 2: there is no parameter smtpd_timeot; the nearest is smtpd_timeout"
    assert (alone.returncode, alone.stderr.splitlines()[0]) == (100, f"smtpgate: {sentence}")
    assert (absorbed.returncode, absorbed.stderr.splitlines()[0]) == (100, f"tcpserver: {sentence}")


def test_a_service_stands_between_the_file_and_the_options(tmp_path: Path) -> None:
    """It is read from master.cf beside the file; what only that refers to is no unknown name."""
    file = tmp_path / "main.cf"
    file.write_text("smtpd_timeout = 10\nsmtpd_soft_error_limit = 3\nmua_banner = hello\n")
    (tmp_path / "master.cf").write_text(
        "smtp inet n - y - - smtpd\n  -o smtpd_timeout=20 -o { smtpd_banner = $mua_banner }\n"
        "  -o smtpd_recipient_limit=30\n"
    )

    gate = program.read(["pysmtpgate", "-f", str(file), "--service", "smtp", "-o", "smtpd_timeout=40", "smtpd"]).gate

    smtp = SmtpSettings(timeout=40, soft_error_limit=3, recipient_limit=30)
    assert gate == GateSettings(smtp=smtp, smtpd_banner=(b"hello",), event_limits=BY_DEFAULT)
    plain = program.read(["pysmtpgate", "-f", str(file), "smtpd"]).gate
    assert plain == GateSettings(smtp=SmtpSettings(timeout=10, soft_error_limit=3), event_limits=BY_DEFAULT)


def test_a_service_needs_a_file(tmp_path: Path) -> None:
    """And a master.cf that can be read."""
    file = tmp_path / "main.cf"
    file.touch()
    with pytest.raises(AskedWrongly, match=r"^--service needs -f"):
        program.read(["pysmtpgate", "--service", "smtp", "smtpd"])
    with pytest.raises(Failure, match=r"^unable to read .*/master.cf: file does not exist$"):
        program.read(["pysmtpgate", "-f", str(file), "--service", "smtp", "smtpd"])


def test_only_a_check_may_lack_the_program() -> None:
    """And it stands alone."""
    with pytest.raises(AskedWrongly, match=r"^pysmtpgate: Missing argument '.*PROGRAM"):
        program.read(["pysmtpgate", "-o", "smtpd_timeout=5"])
    with pytest.raises(AskedWrongly, match=r"^pysmtpgate --check stands alone$"):
        program.read(["pysmtpgate", "--check"])


def test_help_has_every_parameter() -> None:
    """With its default and its explanation."""
    shown = subprocess.run(
        [ours("pysmtpgate"), "--help"], env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=True
    ).stdout

    words = " ".join(shown.split())
    for one in PARAMETERS:
        head = one.name if one.default is None else f"{one.name} = {one.default}".rstrip()
        assert f" {head} {one.explanation}" in words


LISTS = ("-o", "smtpd_recipient_restrictions=reject_unauth_destination, check_greylist /g/db")


def test_two_greylists_in_one_chain_share_a_store() -> None:
    """Then whom one has let in does not wait for the other."""
    read = program.read(["pygreylist", "-s", "/g/db", "pysmtpgate", *LISTS, "smtpd"])

    assert read.gate
    assert read.gate.restrictions
    assert read.gate.restrictions.greylist
    assert read.gate.restrictions.greylist.store == "/g/db"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-s", "/other/db"), "pygreylist and check_greylist have different stores"),
        (("-s", "redis://:secret@h/0"), "pygreylist and check_greylist have different stores"),
        (("-s", "/g/db", "-n", "16/64"), "-n of pygreylist is 16/64, greylist_ipv4cidr is 24 and greylist_ipv6cidr 64"),
    ],
)
def test_two_greylists_that_do_not_know_of_each_other_do_not_start(words: tuple[str, ...], expected: str) -> None:
    """A mail would wait for each of them; no password is repeated."""
    with pytest.raises(AskedWrongly, match=expected) as refused:
        program.read(["pygreylist", *words, "pysmtpgate", *LISTS, "smtpd"])
    assert "secret" not in refused.value.sentence
