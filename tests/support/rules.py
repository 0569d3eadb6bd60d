"""Rules for servers under test."""

import subprocess
from pathlib import Path

from .programs import theirs


def compiled(text: str, folder: Path) -> str:
    """The rules, compiled."""
    cdb = folder / "rules.cdb"
    subprocess.run([theirs("tcprules"), cdb, folder / "tmp"], input=text.encode(), check=True)
    return str(cdb)
