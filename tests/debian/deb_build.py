"""The package is built anywhere, and is always the same."""

import subprocess
from pathlib import Path

from tests.debian.conftest import built
from tests.debian.root import Root
from tests.support.pages import PROGRAMS
from ucspi_py import __version__

COMPLETIONS = (
    "bash-completion/completions/pyrules",
    "fish/vendor_completions.d/pyrules.fish",
    "zsh/vendor-completions/_pyrules",
)


def test_a_second_build_is_the_same(builder: Root, package: Path) -> None:
    """In another folder, at another time: not a byte differs."""
    again = built(builder, "/srv/build again/another folder")

    assert again.read_bytes() == package.read_bytes()
    assert package.name == f"ucspi-py_{__version__}-1_all.deb"


def test_lintian_has_nothing_to_say(builder: Root, package: Path) -> None:
    """Debian's own checker of packages."""
    (changes,) = package.parent.glob("*.changes")

    assert builder.run("lintian", "--fail-on=error,warning", "/" + str(changes.relative_to(builder.path))) == ""


def test_the_package_has_each_program_its_page_and_completions(package: Path) -> None:
    """And is only in folders of Debian's, without a file of /etc."""
    listed = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE, check=True).stdout
    names = (
        subprocess.run(["tar", "tf", "-"], input=listed, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")
    )

    assert {f"./usr/bin/{program}" for program in PROGRAMS} <= set(names)
    assert {f"./usr/share/man/man8/{page}.8.gz" for page in ("pytcpserver", "pysmtpgate", "pygreylist")} <= set(names)
    assert {f"./usr/share/{place}" for place in COMPLETIONS} <= set(names)
    assert {name.split("/")[1] for name in names if name} <= {"", "usr", "lib"}
