"""The row of the rules compiler. Never serves anybody."""

import subprocess
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from contenders import ours
from effort import Effort
from findings import Bar, Finding, compared
from rounds import interleaved
from workshop import Workshop, needed

_SECONDS = 120


def compiling(workshop: Workshop, effort: Effort) -> list[Finding]:
    """A big rules file, start of the program included."""
    source = workshop.folder / "many.rules"
    source.write_text("".join(_rule(number) for number in range(effort.rules)))
    programs = {"ours": ours("pytcprules"), "tcpserver": needed("tcprules")}
    measures = {name: partial(_compile, workshop, program, source) for name, program in programs.items()}
    seconds = interleaved(effort.long_rounds, measures)
    finding = compared("rules", f"{effort.rules:,} rules compiled", "s", seconds, Bar("<=", 7.0))
    return [replace(finding, note="tcpserver's column is tcprules")]


def _rule(number: int) -> str:
    ip = f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return f'10.{ip}:allow,RELAYCLIENT="",CLIENT="{number}"\n' if number % 3 else f"10.{ip}:deny\n"


def _compile(workshop: Workshop, program: str, source: Path) -> float:
    begin = time.perf_counter()
    with source.open("rb") as text:
        target = workshop.folder / "many.cdb"
        subprocess.run([program, str(target), f"{target}.tmp"], stdin=text, check=True, timeout=_SECONDS)
    return time.perf_counter() - begin
