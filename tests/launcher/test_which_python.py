"""A launcher runs the Python and the package that were installed with it, wherever it stands, and no others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import ours

BIN = Path(ours("pytcprules")).parent
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
DECOY = "#!/bin/sh\necho 'the wrong Python' >&2\nexit 66\n"


def run(launcher: Path, *words: str, path: Sequence[Path] = ()) -> tuple[int, str, str]:
    """Run a launcher where every other Python is a wrong one; its exit code and what it says."""
    decoys = launcher.parent / "decoys"
    decoys.mkdir(exist_ok=True)
    for name in ("python", "python3", VERSION):
        decoy(decoys / name)
    environment = {"PATH": ":".join(map(str, [*path, decoys, "/usr/bin", "/bin"])), "PYTHONPATH": "/nonexistent"}
    command = [str(launcher), *words]
    done = subprocess.run(
        command, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def decoy(file: Path) -> None:
    """A Python that is not the one."""
    file.write_text(DECOY)
    file.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the launcher of pytcprulescheck and, beside it, a wrong Python."""
    made = tmp_path / "bin"
    made.mkdir()
    shutil.copy(BIN / "pytcprulescheck", made)
    decoy(made / "python3")
    return made


def entry(folder: Path, first: str) -> None:
    """Put the file ucspi_py there as an installer writes it, with these first lines."""
    _, _, rest = (BIN / "ucspi_py").read_text().partition("\n")
    (folder / "ucspi_py").write_text(f"{first}\n{rest}")


def works(found: tuple[int, str, str]) -> bool:
    """Whether it is pytcprulescheck that has answered."""
    return found[0] == 0 and "pytcprulescheck [OPTIONS] CDB" in found[1] and not found[2]


@pytest.mark.parametrize(
    "first",
    [
        "#!{}",
        "#!/bin/sh\n'''exec' \"{}\" \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' '{}' \"$0\" \"$@\"\n' '''",
        "#!/bin/sh\n'''exec' {} \"$0\" \"$@\"\n' '''",
    ],
    ids=["pip", "pip, a path with blanks", "uv, a long path", "distlib"],
)
def test_the_first_line_says_which(first: str, folder: Path) -> None:
    """Not the python3 beside it, and not the one in $PATH."""
    entry(folder, first.format(sys.executable))

    assert works(run(folder / "pytcprulescheck", "--help"))


@pytest.mark.parametrize("name", ["pytcprulescheck", "pytcprulescheck@1.0", "tcprulescheck-old", "check-rules"])
def test_a_link(name: str, tmp_path: Path) -> None:
    """Links under any name, as pipx --suffix makes them, lead to the program that they point to."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    entry(elsewhere, "#!/nonexistent/python3")  # of another version that is linked here, too
    (tmp_path / "between").symlink_to(BIN / "pytcprulescheck")
    (elsewhere / name).symlink_to("../between")

    assert works(run(elsewhere / name, "--help"))


def test_a_copy(folder: Path, tmp_path: Path) -> None:
    """It finds what it was copied from in $PATH; without that it says so, and runs no other Python."""
    assert works(run(folder / "pytcprulescheck", "--help", path=[tmp_path, BIN]))

    code, output, error = run(folder / "pytcprulescheck", "--help")
    assert (code, output) == (111, "")
    assert error.startswith("pytcprulescheck: fatal: unable to find the file ucspi_py")
    assert error.count("\n") == 1


def test_a_python_that_is_gone(folder: Path) -> None:
    """One line that names it."""
    entry(folder, "#!/nonexistent/python3")

    code, output, error = run(folder / "pytcprulescheck", "--help")

    assert (code, output, error.count("\n")) == (111, "", 1)
    assert "unable to run /nonexistent/python3" in error


def test_a_venv_that_was_moved(folder: Path) -> None:
    """Its own python3 is taken where the old path leads nowhere."""
    entry(folder, "#!/nonexistent/python3")
    (folder / "python3").unlink()
    (folder / "python3").symlink_to(sys.executable)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", folder.parent)
    (folder.parent / "lib").symlink_to(Path(sys.prefix) / "lib")

    assert works(run(folder / "pytcprulescheck", "--help"))


@pytest.mark.parametrize("name", ["smtpd", "python3x", "py", "tcp"])
def test_an_unknown_name(name: str, folder: Path) -> None:
    """A copy whose name is none of the programs' is asked wrongly, and serves nobody."""
    entry(folder, f"#!{sys.executable}")
    shutil.copy(folder / "pytcprulescheck", folder / name)

    code, output, error = run(folder / name, "0", "0", "true")

    assert (code, output) == (100, "")
    assert f"unable to tell which program {folder / name} is" in error


@pytest.mark.parametrize("way", ["target", "prefix", "lib64", "checkout"])
def test_the_package_is_the_one_beside(way: str, folder: Path) -> None:
    """The one that was installed with the launcher goes before any that Python would find by itself."""
    places = {"target": ".", "prefix": f"lib/{VERSION}/site-packages", "lib64": f"lib64/{VERSION}/site-packages"}
    package = folder.parent / places.get(way, ".") / "ucspi_py"
    (package / "cli").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli" / "__init__.py").touch()
    (package / "cli" / "start.py").write_text("def main(words):\n    print('ours', words[0], words[2:])\n")
    entry(folder, f"#!{sys.executable}")

    assert run(folder / "pytcprulescheck", "a b", "") == (0, "ours note: ['a b', '']\n", "")


@pytest.mark.parametrize("name", ["pytcprulescheck", "tcprulescheck"])
def test_python_m(name: str) -> None:
    """python -m ucspi_py PROGRAM is the program."""
    done = subprocess.run(
        [sys.executable, "-m", "ucspi_py", name, "--help"], capture_output=True, text=True, check=True, cwd="/"
    )

    assert "pytcprulescheck [OPTIONS] CDB" in done.stdout


@pytest.mark.parametrize("words", [[], ["smtpd"], ["--nonsense"], ["note: nonsense", "pytcprules"], [""]])
def test_python_m_with_wrong_words(words: list[str]) -> None:
    """Without the name of a program: exit 100, and the usage names them."""
    done = subprocess.run(
        [sys.executable, "-m", "ucspi_py", *words], capture_output=True, text=True, check=False, cwd="/"
    )

    assert (done.returncode, done.stdout) == (100, "")
    assert "usage" in done.stderr
    assert "pytcpserver" in done.stderr


def test_another_executable_in_the_environment(folder: Path) -> None:
    """PYTHONEXECUTABLE passes python -I: without us it would choose the folder of libraries."""
    entry(folder, f"#!{sys.executable}")
    (folder.parent / "pyvenv.cfg").write_text(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\n")
    environment = {name: str(folder / "python3") for name in ("PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")}

    done = subprocess.run(
        [folder / "pytcprulescheck", "--help"], env=environment, capture_output=True, text=True, check=False, cwd="/"
    )

    assert works((done.returncode, done.stdout, done.stderr))
