"""The ways in which pip installs: each time the programs run with the Python and the package of that installation."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.archives import Archives
from tests.support.programs import theirs

#: What the package needs, as its own modules are called.
_LIBRARIES = ("click", "cdblib", "dns")


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter of this environment, as it is without an environment."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def install(python: str, wheel: Path, home: Path, *ways: str) -> None:
    """Have pip install the wheel for a Python of the system, whose home folder this is."""
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--quiet"]
    environment = {"HOME": str(home), "PYTHONUSERBASE": str(home / ".local"), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [*command, "--break-system-packages", "--no-warn-script-location", *ways, wheel], env=environment, check=True
    )


@pytest.mark.parametrize(
    "way", [["--user"], ["--prefix", "{}/opt"], ["--target", "{}/opt/t t"]], ids=lambda way: way[0]
)
def test_a_way_to_install(way: list[str], python: str, archives: Archives, tmp_path: Path) -> None:
    """No python3 beside the programs, another one in $PATH: compiling and starting a program work all the same."""
    install(python, archives.wheel, tmp_path, *(word.format(tmp_path) for word in way))
    (package,) = tmp_path.glob("**/ucspi_py/__init__.py")
    for name in _LIBRARIES:
        (package.parents[1] / name).symlink_to(Path(import_module(name).__file__ or "").parent)
    (launcher,) = tmp_path.glob("**/bin/pytcprules")
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 66\n")
    (tmp_path / "python3").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": "/nonexistent"}

    subprocess.run([launcher, "cdb", "tmp"], input=b":deny\n", cwd=tmp_path, env=environment, check=True)
    screen = launcher.with_name("pyrblsmtpd")
    shown = subprocess.run(
        [screen, "-t", "0", "echo", "ok"], cwd="/", env=environment, capture_output=True, check=True
    ).stdout

    assert (tmp_path / "cdb").stat().st_size > 2048
    assert shown == b"ok\n"


def test_man_finds_the_manual_of_a_venv(archives: Archives, tmp_path: Path) -> None:
    """Where its bin is in $PATH, and nobody has told man of it."""
    theirs("man")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    install(str(venv / "bin/python3"), archives.wheel, tmp_path)
    environment = {"PATH": f"{venv}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C", "MANWIDTH": "200"}

    for page, name in (("8", "pytcpserver"), ("7", "ucspi_py-trust")):
        found = subprocess.run(["man", "-w", name], env=environment, capture_output=True, check=True, text=True).stdout
        assert found.strip() == str(venv / f"share/man/man{page}/{name}.{page}")
    shown = subprocess.run(["man", "pytcpserver"], env=environment, capture_output=True, check=True, text=True).stdout

    assert "pytcpserver - accept TCP connections" in " ".join(shown.split())
