"""smtpd.conf, found and read."""

import os
from pathlib import Path

import pytest

from ucspi_py.core.errors import AskedWrongly, Failure
from ucspi_py.system.auth.smtpd_conf import find

GUIDE = "pwcheck_method: saslauthd\nmech_list: plain login\n"


def test_the_first_file_that_is_there_counts(tmp_path: Path) -> None:
    """Of the folders."""
    for name, mechanism in (("b", "plain"), ("c", "login")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "smtpd.conf").write_text(f"pwcheck_method: saslauthd\nmech_list: {mechanism}\n")

    assert find(f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/c", "smtpd").mechanisms == (b"PLAIN",)


def test_without_a_file_nobody_knows_who_checks(tmp_path: Path) -> None:
    """The library would take its own default."""
    with pytest.raises(AskedWrongly, match=r"needs a file smtpd\.conf, and there is none of .*/smtpd\.conf"):
        find(str(tmp_path), "smtpd")


def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    """For the next one, which may say something else."""
    (tmp_path / "smtpd.conf").symlink_to("smtpd.conf")

    with pytest.raises(Failure, match=r"unable to read .*/smtpd\.conf: symbolic link loop"):
        find(str(tmp_path), "smtpd")


def test_a_fifo_is_no_file(tmp_path: Path) -> None:
    """It would hang us."""
    os.mkfifo(tmp_path / "smtpd.conf")

    with pytest.raises(Failure, match="not a regular file"):
        find(str(tmp_path), "smtpd")


def test_a_big_file_is_none(tmp_path: Path) -> None:
    """Somebody has mistaken the folder."""
    (tmp_path / "smtpd.conf").write_text(GUIDE + "#" * 70000)

    with pytest.raises(AskedWrongly, match="more than 65536 bytes"):
        find(str(tmp_path), "smtpd")
