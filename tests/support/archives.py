"""Archives as an installer has them made."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EPOCH = 1_700_000_000

BUILD = """
import sys
sys.path.insert(0, "build_backend")
import reproducible
made = sys.argv[1]
reproducible.build_sdist(made)
reproducible.build_wheel(made)
"""

WANTED = """
import sys
sys.path.insert(0, "build_backend")
import reproducible
wanted = [*reproducible.get_requires_for_build_sdist(), *reproducible.get_requires_for_build_wheel()]
print(*wanted, file=sys.stderr)
"""


@dataclass(frozen=True)
class Archives:
    """The two files that one build has made."""

    sdist: Path
    wheel: Path


def wanted(checkout: Path) -> str:
    """What an installer must have to build both archives of a checkout."""
    command = [sys.executable, "-c", WANTED]
    return subprocess.run(command, cwd=checkout, capture_output=True, check=True, text=True).stderr.splitlines()[-1]


def build(checkout: Path, made: Path, umask: int = 0o022) -> Archives:
    """Both archives of a checkout, as an installer has them made."""
    made.mkdir()
    subprocess.run(
        [sys.executable, "-c", BUILD, made],
        cwd=checkout,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)},
        umask=umask,
        capture_output=True,
        check=True,
    )
    (sdist,) = made.glob("*.tar.gz")
    (wheel,) = made.glob("*.whl")
    return Archives(sdist, wheel)
