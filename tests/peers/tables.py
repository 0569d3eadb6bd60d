"""Tables of every kind by chance, each made for both servers: by Debian's postmap where it has an index."""

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.programs import theirs

INDEXED = ("hash", "btree", "lmdb", "cdb")
_KEYED = ("texthash", *INDEXED, "inline")
_PATTERNS = ("regexp", "pcre")
_INSERTED = ("REJECT [$1]", "REJECT ${1}!", "REJECT 5.7.9 for $(1) $$1")

Entries = Sequence[tuple[str, str]]


class Tables:
    """Those of one world, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._indexed: list[str] = []
        self._count = 0

    def users(self, draw: random.Random, keys: Sequence[str], value: str = "x") -> str:
        """A table of users or domains -> its name."""
        entries = [(key, value) for key in keys]
        return self._filed(draw, draw.choice([*_KEYED, *_PATTERNS]), entries, strict=True)

    def access(self, draw: random.Random, entries: Entries, networks: Entries = ()) -> str:
        """A table of what is to be done -> its name. networks: what one of networks has, where that makes sense."""
        chance = draw.random()
        if chance < 0.04:
            return f"static:{{{draw.choice(entries)[1]}}}"
        if chance < 0.06:
            return f"{draw.choice(['hash', 'texthash', 'cdb', 'regexp', 'cidr'])}:{self._folder}/missing"
        kinds = [*_KEYED, *_PATTERNS, *(["cidr"] * 2 if networks else [])]
        return self._filed(draw, draw.choice(kinds), entries, networks)

    def make(self) -> None:
        """Have postmap make all indexes."""
        if self._indexed:
            subprocess.run([theirs("postmap"), *self._indexed], check=True, capture_output=True)

    def _filed(
        self, draw: random.Random, kind: str, entries: Entries, networks: Entries = (), *, strict: bool = False
    ) -> str:
        if kind == "inline":
            return f"inline:{{ {', '.join(f'{{{key} = {value}}}' for key, value in entries)} }}"
        self._count += 1
        name = f"{kind}:{self._folder}/{self._count}"
        if kind in _PATTERNS:
            lines = list(_patterns(draw, entries, strict=strict))
        else:
            lines = [
                f"{key}{draw.choice([' ', '   '])}{value}" for key, value in (networks if kind == "cidr" else entries)
            ]
            lines = [*_within(draw, lines)] if kind == "cidr" else lines
        text = "# by chance\n" + "".join(f"{line}\n" for line in lines)
        (self._folder / str(self._count)).write_text(text)
        if kind in INDEXED:
            self._indexed.append(name)
        return name


def _patterns(draw: random.Random, entries: Entries, *, strict: bool) -> Iterator[str]:
    for key, value in entries:
        quoted = re.sub(r"([.+\[\]@/^$*?(){}|\\])", r"\\\1", key)
        if strict:
            # A name without @ stands for its domain, and one that begins with it for all in it.
            yield f"/^{quoted if '@' in key[1:] else '(.*@)?' + quoted.lstrip('@')}$/ {value}"
            continue
        form = draw.choice(["/^{}$/", "/{}/", "/^({})$/", "/(^|[.@]){}$/", "!/{}/", "/{}/i"])
        wanted = form.format(quoted.upper() if form == "/{}/i" else quoted)
        is_inserted = "(" in form and value.startswith("REJECT")
        yield from _within(
            draw, [f"{wanted} {draw.choice(_INSERTED) if is_inserted else value}"], "/example/", "!/far/"
        )


def _within(draw: random.Random, lines: Sequence[str], *conditions: str) -> Iterator[str]:
    """Lines, now and then within a condition."""
    if draw.random() < 0.85:
        yield from lines
        return
    yield f"if {draw.choice(conditions or ['127.0.0.0/8', '!127.0.0.12', '192.0.2.0/24'])}"
    yield from lines
    yield "endif"
