"""A fresh checkout: what a clone has of this folder, in another one."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What a clone does not have.
_MADE = re.compile(
    r"\.git|\..*cache|\.venv|\.hypothesis|\.tox|build|dist|demo|man|completions|wheels|.*\.egg-info|__pycache__|\.coverage.*"
)


def fresh_checkout(folder: Path) -> Path:
    """Copy the sources to a folder that is not there yet; that folder."""
    shutil.copytree(
        ROOT, folder, symlinks=True, ignore=lambda _folder, names: {name for name in names if _MADE.fullmatch(name)}
    )
    return folder
