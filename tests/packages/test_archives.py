"""The source archive and the wheel hold all that they should, and are the same to the byte wherever they are made."""

import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import manual
import pytest
import shell_completions

from tests.support.archives import EPOCH, Archives, build, wanted
from tests.support.checkout import ROOT, fresh_checkout

MANUAL = manual.pages(ROOT / "docs")
COMPLETIONS = shell_completions.files(ROOT / "docs")
#: Where shells look for them below share/.
PLACES = {"bash": "bash-completion/completions", "fish": "fish/vendor_completions.d", "zsh": "zsh/site-functions"}


def test_the_source_archive_is_complete(archives: Archives) -> None:
    """Every file of the repository is in it: whoever has it can run the tests and the measurements."""
    if not (ROOT / ".git").exists():
        pytest.skip("nobody knows what is in the repository")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    tracked = {name for name in listed.split("\0") if name and (ROOT / name).exists()}

    with tarfile.open(archives.sdist) as archive:
        held = {member.name.partition("/")[2] for member in archive if not member.isdir()}

    assert tracked - held == set()
    made = {"PKG-INFO", *(f"man/{name}" for name in MANUAL), *(f"completions/{name}" for name in COMPLETIONS)}
    assert {name for name in held - tracked if not name.startswith("ucspi_py.egg-info/")} == made


def test_the_wheel_has_what_readme_tells_to_copy(archives: Archives) -> None:
    """Service directories, the unit, the rules and the demonstration backend; run scripts can be run."""
    examples = {str(file.relative_to(ROOT)) for file in (ROOT / "examples").rglob("*") if file.is_file()}
    examples = {name for name in examples if "__pycache__" not in name and name != "examples/try"}  # is for a checkout

    with zipfile.ZipFile(archives.wheel) as wheel:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in wheel.infolist()}

    (data,) = {name.partition("/")[0] for name in modes if ".data/" in name}
    shared = f"{data}/data/share/ucspi_py/"
    assert {name.removeprefix(shared) for name in modes if name.startswith(shared)} == examples
    assert {modes[f"{shared}{name}"] for name in examples if name.endswith("/run")} == {0o755}
    assert {mode for name, mode in modes.items() if name.startswith(f"{data}/scripts/")} == {0o755}
    assert {mode for name, mode in modes.items() if name.endswith(".py") and "scripts" not in name} <= {0o644, 0o755}


def test_the_wheel_has_the_manual(archives: Archives) -> None:
    """A page for each program and for what they share, where man looks for it; nothing of an earlier build."""
    with zipfile.ZipFile(archives.wheel) as wheel:
        shared = {name.partition("/data/share/man/")[2]: wheel.read(name) for name in wheel.namelist()}

    assert {name: text for name, text in shared.items() if name} == MANUAL
    assert {"man8/pytcpserver.8", "man8/pyrblsmtpd.8", "man8/pygreylist.8", "man5/ucspi_py-rules.5"} <= set(MANUAL)


def test_the_wheel_has_completions(archives: Archives) -> None:
    """Of each program for each shell, where it looks for them."""
    with zipfile.ZipFile(archives.wheel) as wheel:
        shared = {name.partition("/data/share/")[2]: wheel.read(name).decode() for name in wheel.namelist()}

    for shell, place in PLACES.items():
        held = {name.removeprefix(place): text for name, text in shared.items() if name.startswith(place)}
        assert held == {
            name.removeprefix(shell): text for name, text in COMPLETIONS.items() if name.startswith(f"{shell}/")
        }
        assert len(held) == len(list((ROOT / "bin").glob("py*")))


def test_a_second_build_is_the_same(archives: Archives, place: Path) -> None:
    """Another folder, other file times, another umask, an earlier build's leavings: not a byte differs."""
    checkout = fresh_checkout(place / "another checkout")
    for file in checkout.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.utime(file, (1_000_000_000, 1_000_000_000))
            file.chmod(file.stat().st_mode & 0o700)
    left = checkout / "build/lib/ucspi_py"
    left.mkdir(parents=True)
    (left / "gone.py").touch()
    (checkout / "man/man8").mkdir(parents=True)
    (checkout / "man/man8/gone.8").touch()

    again = build(checkout, place / "made again", umask=0o077)

    assert again.sdist.read_bytes() == archives.sdist.read_bytes()
    assert again.wheel.read_bytes() == archives.wheel.read_bytes()


def test_the_source_archive_makes_the_same_wheel(
    archives: Archives, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever builds from it installs what was published, and needs no docutils for it."""
    (place / "unpacked").mkdir()
    (place / "docutils.py").write_text("raise ImportError('is not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    subprocess.run(["tar", "xf", archives.sdist, "-C", place / "unpacked"], check=True)
    (unpacked,) = (place / "unpacked").iterdir()

    assert "docutils" in wanted(place / "checkout")
    assert "docutils" not in wanted(unpacked)
    assert build(unpacked, place / "made of it").wheel.read_bytes() == archives.wheel.read_bytes()


def test_everything_has_the_time_that_was_asked_for(archives: Archives) -> None:
    """SOURCE_DATE_EPOCH; and nobody's name."""
    with tarfile.open(archives.sdist) as archive:
        assert {(member.mtime, member.uid, member.uname) for member in archive} == {(EPOCH, 0, "")}
    with zipfile.ZipFile(archives.wheel) as wheel:
        assert {entry.date_time for entry in wheel.infolist()} == {(2023, 11, 14, 22, 13, 20)}
