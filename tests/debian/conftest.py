"""What the tests of this folder share: the source package, the package, and a host that has it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debian.host import Host, booted
from tests.debian.name_server import serve_names
from tests.debian.qmail import compile_rules, lay_qmail
from tests.debian.root import Root
from tests.support.checkout import fresh_checkout


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the roots are."""
    if not os.environ.get("DEBIAN_BASE"):
        pytest.skip("sh tests/debian/run makes the base")
    return tmp_path_factory.mktemp("roots")


@pytest.fixture(scope="session")
def source(place: Path) -> Path:
    """The folder of the source package of a fresh checkout."""
    checkout = fresh_checkout(place / "checkout")
    subprocess.run(["sh", checkout / "packaging/deb", place / "source", "-S", "-d"], check=True)
    return place / "source"


@pytest.fixture(scope="session")
def builder(place: Path, source: Path) -> Root:
    """A root with what the source package asks for, and the source package in /srv."""
    root = Root(place / "builder")
    root.run("apt-get", "update")
    root.run(
        "apt-get", "install", "--yes", "--no-install-recommends", "dpkg-dev", "debhelper", "python3-venv", "lintian"
    )
    shutil.copytree(source, root.path / "srv", dirs_exist_ok=True)
    return root


@pytest.fixture(scope="session")
def package(builder: Root) -> Path:
    """The package, built without a network."""
    return built(builder, "/srv/build/ucspi-py")


@pytest.fixture(scope="session")
def host(place: Path, package: Path) -> Iterator[Host]:
    """A host with the package, a name server, and something like qmail."""
    with booted(Root(place / "host")) as host:
        serve_names(host)
        lay_qmail(host)
        host.install(package)
        compile_rules(host)
        yield host


def built(builder: Root, folder: str) -> Path:
    """Unpack the source package into a folder of the root, and build it there, without a network; the package.

    Without a compiler, too: --no-check-builddeps, since each package in Debian may ask for one.
    """
    (source,) = (builder.path / "srv").glob("*.dsc")
    (builder.path / folder.lstrip("/")).parent.mkdir(parents=True)
    builder.run("dpkg-source", "--extract", f"/srv/{source.name}", folder, network=False)
    builder.run(
        "dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps", folder=folder, network=False
    )
    (package,) = (builder.path / folder.lstrip("/")).parent.glob("*.deb")
    return package
