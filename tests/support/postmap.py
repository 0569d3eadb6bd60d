"""What Postfix's own postmap says of a table, and random tables to ask it about."""

import os
import random
import re
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ucspi_py.core.gate.maps.parse import parse_table

from .origins import words
from .postmap_patterns import pattern_question
from .postmap_question import Question
from .programs import theirs

#: Kinds that postmap compiles before they can be asked.
COMPILED = ("hash", "btree", "lmdb", "cdb")
#: What it says of an empty value that it has found, and not of the source.
_EMPTY = re.compile(rb"empty string result is not allowed|should return NO RESULT")
_UNFILED = ("inline", "static")


class Told(NamedTuple):
    """What postmap found, by key, and what it said of the source. failed: the table cannot be opened at all."""

    values: dict[bytes, bytes]
    warnings: list[bytes]
    failed: bool


def need_kind(kind: str) -> None:
    """Skip what Postfix has no table for; CI must have the package."""
    known = subprocess.run([theirs("postconf"), "-m"], capture_output=True, check=True, text=True).stdout.split()
    if kind not in known:
        theirs(f"postfix-{kind}")  # a package, and no program: it says that it is missing


def asked(folder: Path, question: Question) -> Told:
    """What postmap finds in a table, each key once. folder: for files."""
    postmap = [theirs("postmap").encode(), b"-c", os.fsencode(_configuration(folder))]
    table = folder / "table"
    name = f"{question.kind}:{table}".encode()
    if question.kind in _UNFILED:
        name = f"{question.kind}:".encode() + question.source
    else:
        table.write_bytes(question.source)
        os.utime(table, (1e9, 1e9))  # Postfix waits until it is two seconds old
    said = b""
    if question.kind in COMPILED:
        said = subprocess.run([*postmap, name], capture_output=True, check=True).stderr
    command, given = [*postmap, b"-q", b"-", name], b"".join(key + b"\n" for key in question.keys)
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    values = dict(line.split(b"\t", 1) for line in done.stdout.split(b"\n") if b"\t" in line)
    # A warning may repeat bytes of the source, and so be no line of its own.
    warnings = [one for one in (said + done.stderr).split(b"postmap: warning: ")[1:] if not _EMPTY.search(one)]
    return Told(values, warnings, b"postmap: fatal: " in done.stderr)


def asked_once(folder: Path, kind: str, source: bytes, key: bytes) -> bytes | None:
    """What postmap finds for a key, which may have newlines; None = nothing."""
    table = folder / "table"
    table.write_bytes(source)
    os.utime(table, (1e9, 1e9))
    command: list[str | bytes] = [theirs("postmap"), "-c", str(_configuration(folder)), "-q", key, f"{kind}:{table}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.removesuffix(b"\n") if done.returncode == 0 else None


def _configuration(folder: Path) -> Path:
    """A directory with a main.cf that sets smtputf8_enable as the gate does."""
    main_cf = folder / "main.cf"
    if not main_cf.exists():
        main_cf.write_text("compatibility_level = 3.6\nsmtputf8_enable = no\n")
        os.utime(main_cf, (1, 1))
    return folder


def _text(draw: random.Random, pieces: Sequence[bytes], most: int) -> bytes:
    return b"".join(draw.choice(pieces) for _ in range(draw.randint(1, most)))


_INDEXED = [*b"aB#:='{}\\\"\t\r\x0b\n", b" ", b" y ", b"\n", b"\n ", b"\nc ", b"OK", b"a b", b"\n# c", b"\xc3\xa9"]
_INDEXED_PIECES = [bytes([one]) if isinstance(one, int) else one for one in _INDEXED]


def indexed_question(kind: str, draw: random.Random) -> Question:
    """A source of ``key value`` lines, and the keys that might be in it."""
    source = _text(draw, _INDEXED_PIECES, 40)
    candidates = {*source.replace(b"\n", b" ").split(b" "), *source.split(b"\n"), b"a", b"b", b"c", b"a b", b'"a b"'}
    keys = sorted(key for key in candidates if key and not {*key} & {*b"\n\t"})
    return Question(kind, source, tuple(keys))


_PAIRS = [
    b"a=b",
    b"{a=b c}",
    b"{x = y , z }",
    b"B={c, d}",
    b"x{a=b, c}=d",
    b'"a"=q',
    b'{"a b" = q}',
    b"\\==x",
    b"X=a\\",
]
_NO_PAIRS = [b"{", b"}", b"=", b"a", b'"', b"{a=b}x", b"{a}", b"a=", b""]
_UNFILED_KEYS = (b"a", b"b", b"x", b"X", b"aB", b"xa", b"{a", b'"a"', b'"a b"')


def inline_question(draw: random.Random) -> Question:
    """A table that stands in main.cf. One that is wrong costs postmap a second."""
    pairs = [draw.choice(_NO_PAIRS if draw.random() < 0.01 else _PAIRS) for _ in range(draw.randint(1, 5))]
    return Question("inline", b"{%b}" % draw.choice((b", ", b" ", b",\t")).join(pairs), _UNFILED_KEYS)


def static_question(draw: random.Random) -> Question:
    """A value, in braces or without."""
    text = _text(draw, [b"a{b}", b" ", b"OK", b"a b", b"$1", b"\\"], 4)
    return Question("static", draw.choice((b"%b", b"{%b}", b"{ %b}")) % text.removeprefix(b"{"), _UNFILED_KEYS)


_NETWORKS = words("""
10.0.0.0/8 10.0.0.5 10.0.0.0/08 0.0.0.0/0 ::/0 [::1] [::1]/128 [10.0.0.0/8] [10.0.0.0]/23 2001:db8::/32 2001:db8::5
2001:DB8::/33 ::ffff:10.0.0.0/104 192.168.0.0/16 1.2.3.4/32 fe80::/10 10.0.0.0/23""")
_NO_NETWORKS = words("""
10.0.0.5/24 10.0.0.0/33 10.0.0.0/0 host 010.0.0.0/8 10.0.0.0/ 10.0.0.0/255.0.0.0 [::1 2001:db8::1/32 10.0.0/24 1.2.3
[::1]x /8 10.0.0.0/-1 ::1%lo""")
_ADDRESSES = words("""
10.0.0.5 10.0.1.5 11.0.0.1 192.168.1.1 ::1 2001:db8::5 2001:DB8:0:1::5 ::ffff:10.0.0.5 10.0.0 010.0.0.5 host 10.0.0.5%1
::1%lo [::1] 1.2.3.4 fe80::1 0:0::0:1 ::10.0.0.5""")


def _cidr_line(draw: random.Random) -> str:
    nots = draw.choice(("", "", "", "", "!", "! ", "!!"))
    pattern = nots + draw.choice(_NETWORKS if draw.random() < 0.96 else _NO_NETWORKS)
    kind = draw.random()
    if kind < 0.15:
        return draw.choice(("if ", "IF ", "if")) + pattern + draw.choice(("", " ") if draw.random() < 0.95 else (" x",))
    if kind < 0.4:
        return draw.choice(("endif", "ENDIF", "# x", "", " more", " endif"))
    if kind < 0.43:
        return draw.choice(("endif x", "ifx 1", "if", "reject"))
    return pattern + draw.choice((" OK", "\tREJECT  x # y", " dunno \r", "  a", " A", "" if kind < 0.46 else " b"))


def cidr_question(draw: random.Random) -> Question:
    """A list of networks, and addresses."""
    source = "\n".join(_cidr_line(draw) for _ in range(draw.randint(1, 8))).encode()
    return Question("cidr", source, tuple(map(str.encode, _ADDRESSES)))


#: How a random question of each kind is made.
DRAWS: dict[str, Callable[[random.Random], Question]] = {
    **{kind: partial(indexed_question, kind) for kind in ("texthash", *COMPILED)},
    "inline": inline_question,
    "static": static_question,
    "cidr": cidr_question,
    **{kind: partial(pattern_question, kind) for kind in ("regexp", "pcre")},
}

#: What Postfix takes without a warning, or warns of only when it comes upon it, and the gate refuses at the start.
STRICTER = {
    "inline": ("has a key without a value",),
    "static": ("has no value between the braces",),
    "regexp": (
        "is known to pcre only",
        "a class stands in two pairs of brackets",
        "is no class of bytes",
        "/this/!/that/ is no longer known",
    ),
    "pcre": ("is not translated", "there is a repeat behind a repeat", "it cannot be translated", "to come once more"),
}
#: Where a longer alternative stands behind a shorter one, $1 may differ, and it is said.
_MAY_DIFFER = "$1 may be shorter than in Postfix"


def differs(folder: Path, question: Question) -> str:
    """How the gate's table differs from postmap's; "" = not at all."""
    table, told = parse_table(question.kind, question.source), asked(folder, question)
    sentences = [flaw.sentence for flaw in table.flaws if flaw.is_error]
    if bool(told.warnings or told.failed) and not table.flaws:
        return f"no flaw: {question} {told}"
    if sentences and not (told.warnings or told.failed) and not _is_stricter(question.kind, sentences):
        return f"no trouble for Postfix: {question} {sentences}"
    found = {key: value for key in question.keys if (value := table.get(key)) is not None}
    expected = told.values
    if any(flaw.sentence.startswith(_MAY_DIFFER) for flaw in table.flaws):
        found, expected = dict.fromkeys(found, b""), dict.fromkeys(expected, b"")
    return f"{question} {found} {told}" if not sentences and found != expected else ""


def _is_stricter(kind: str, sentences: Sequence[str]) -> bool:
    """Whether the first one is known; an if that is lost makes its endif one that is too many."""
    return any(known in sentences[0] for known in STRICTER.get(kind, ()))
