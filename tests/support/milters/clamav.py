"""Debian's clamav-milter with a clamd that knows one virus: EICAR's, by its hash."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..programs import theirs
from .daemon import daemon

#: Written apart, so that no scanner takes this file for it (eicar.org).
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
VIRUS = "Eicar-Test"  # its name in the database; clamd says .UNOFFICIAL behind it


@contextmanager
def clamd(folder: Path) -> Iterator[Path]:
    """Run clamd -> its socket."""
    path, database, configuration = folder / "clamd", folder / "database", folder / "clamd.conf"
    database.mkdir()
    digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
    (database / "eicar.hdb").write_text(f"{digest}:{len(EICAR)}:{VIRUS}\n")
    # Where AppArmor is on, the program of this path reads its own folders alone.
    program = shutil.copy(theirs("clamd"), folder / "scanner")
    lines = (
        f"LocalSocket {path}",
        f"DatabaseDirectory {database}",
        f"TemporaryDirectory {folder}",
        "Foreground true",
        "User root",
        "MaxThreads 2",
    )
    configuration.write_text("\n".join((*lines, "")))
    with daemon((str(program), "-c", str(configuration)), path, folder):
        yield path


@contextmanager
def clamav_milter(folder: Path, scanner: Path, *more: str) -> Iterator[str]:
    """Run clamav-milter -> the service. scanner: the socket of clamd. more: of its configuration."""
    path, configuration = folder / "clamav-milter", folder / "clamav-milter.conf"
    lines = (
        f"MilterSocket unix:{path}",
        "MilterSocketMode 666",
        f"ClamdSocket unix:{scanner}",
        f"TemporaryDirectory {folder}",
        "Foreground true",
        "User root",
        "AddHeader Replace",
        *more,
    )
    configuration.write_text("\n".join((*lines, "")))
    with daemon((theirs("clamav-milter"), "-c", str(configuration)), path, folder):
        yield f"unix:{path}"
