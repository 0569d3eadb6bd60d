"""A root folder with a Debian of its own, in which commands run."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

#: What a command of a fresh system finds in its environment, and the way to the mirror.
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    **{name: os.environ[name] for name in ("http_proxy", "https_proxy") if name in os.environ},
}


def command(words: Sequence[str]) -> str:
    """Run a command as a fresh system would, and give what it writes.

    Raises AssertionError with all of that where the command fails.
    """
    done = subprocess.run(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Root:
    """A copy of the base that tests/debian/run has made."""

    def __init__(self, path: Path) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", os.environ["DEBIAN_BASE"], path], check=True)
        self.path = path

    def run(self, *words: str, folder: str = "/", network: bool = True) -> str:
        """Run a command in it."""
        alone = ["unshare", "--fork", "--pid", "--kill-child", f"--mount-proc={self.path}/proc"]
        alone += [] if network else ["--net"]
        return command([*alone, "chroot", str(self.path), "env", f"--chdir={folder}", *words])
