"""What packaging/ says agrees with the rest. sh tests/debian/run builds and uses the package."""

import configparser
import re
import tomllib

import reproducible
from packaging.requirements import Requirement

from tests.support.checkout import ROOT
from ucspi_py import __version__

PACKAGING = ROOT / "packaging"


def pinned(name: str) -> dict[str, str]:
    """The versions that a list of wheels names, by package."""
    return dict(
        re.findall(r"^([a-z-]+)==([\w.]+) \\\n    --hash=sha256:[0-9a-f]{64}$", (PACKAGING / name).read_text(), re.M)
    )


def unmet(wanted: list[str], pins: dict[str, str]) -> list[str]:
    """The requirements that none of the pinned versions satisfies."""
    asked = [Requirement(line) for line in wanted]
    return [str(each) for each in asked if each.name not in pins or not each.specifier.contains(pins[each.name])]


def test_the_package_has_the_version_of_the_programs() -> None:
    """A release brings an entry in packaging/debian/changelog with it."""
    newest = (PACKAGING / "debian/changelog").read_text().splitlines()[0]

    assert newest.startswith(f"ucspi-py ({__version__}-")


def test_the_wheels_are_what_the_programs_ask_for() -> None:
    """In versions that setup.cfg allows, with those that are an extra elsewhere."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    texts = [
        setup["options"]["install_requires"],
        *(setup["options.extras_require"][extra] for extra in ("redis", "top")),
    ]
    wanted = [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]

    assert len(wanted) >= 5
    assert unmet(wanted, pinned("wheels.txt")) == []


def test_the_tools_are_what_the_build_asks_for() -> None:
    """setuptools and docutils, and no more."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    pins = pinned("tools.txt")

    assert unmet([*build["requires"], reproducible._DOCUTILS], pins) == []
    assert len(pins) == 2
