"""setuptools' backend, whose archives are the same to the byte wherever and whenever they are made of the same sources.

Both have the manual pages and completions that are made of docs/. SOURCE_DATE_EPOCH is the time of all that is in
them, in seconds since 1970 (reproducible-builds.org); 1980 without it.
"""

import gzip
import io
import os
import shutil
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

#: The earliest time that a zip knows.
_1980 = 315532800

#: Where the manual pages are made, and the completions.
_MAN, _COMPLETIONS = Path("man"), Path("completions")

#: What makes them; whoever builds from a source archive, which has them, needs nothing.
_DOCUTILS = "docutils>=0.19"

Settings = Mapping[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What must be installed to build the wheel (PEP 517)."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_wanted()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """What must be installed to build the source archive (PEP 517)."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_wanted()]


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build the wheel (PEP 517); its name. What an earlier build has left in build/ does not get into it."""
    for left in Path("build").glob("*"):
        if left.name.startswith(("lib", "scripts", "bdist")):
            shutil.rmtree(left)
    _write_made()
    name: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    _repack_wheel(Path(wheel_directory, name))
    return name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Build the source archive (PEP 517); its name."""
    _write_made()
    name: str = build_meta.build_sdist(sdist_directory, config_settings)
    _repack_sdist(Path(sdist_directory, name))
    return name


def _wanted() -> list[str]:
    return [] if _is_source_archive() else [_DOCUTILS]


def _is_source_archive() -> bool:
    return Path("PKG-INFO").exists() and _MAN.exists()


def _write_made() -> None:
    if not _is_source_archive():
        import manual
        import shell_completions

        manual.write(Path("docs"), _MAN)
        shell_completions.write(Path("docs"), _COMPLETIONS)


def _repack_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as old:
        files = [(entry.filename, old.read(entry), entry.external_attr >> 16) for entry in old.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data, mode in files:
            entry = zipfile.ZipInfo(name, time.gmtime(max(_epoch(), _1980))[:6])
            entry.external_attr = (0o100000 | _mode(mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, data)


def _repack_sdist(sdist: Path) -> None:
    with tarfile.open(sdist) as old:
        members = [(member, _data(old, member)) for member in sorted(old.getmembers(), key=lambda each: each.name)]
    with (
        sdist.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=_epoch()) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member, data in members:
            member.mtime = _epoch()
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o777 if member.issym() else 0o755 if member.isdir() else _mode(member.mode)
            member.pax_headers = {}
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))


def _data(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isreg() else None
    return file.read() if file else b""


def _mode(mode: int) -> int:
    """The permissions of a file, whatever the umask of whoever has checked it out."""
    return 0o755 if mode & 0o100 else 0o644


def _epoch() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH", _1980))
