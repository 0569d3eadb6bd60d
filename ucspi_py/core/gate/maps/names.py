"""The name of a lookup table, ``type:name``, and the answer of one that cannot be read. Never opens a table."""

from typing import NamedTuple

from ...text import shown

#: Kinds whose text source stands beside the indexed file, under the table's name: the gate reads the source.
INDEXED = ("hash", "btree", "lmdb")
#: Kinds that have no file: what stands behind the colon is the table.
UNFILED = ("inline", "static")
#: Kinds of a list of patterns, each asked for a whole key.
PATTERNS = ("regexp", "pcre")
KINDS = ("texthash", *INDEXED, "cdb", "cidr", *PATTERNS, *UNFILED)

_DATABASE = "the gate asks no database: write what it says to a file, and name that, as cdb: or texthash:"
_SERVER = "the gate asks no other program: write what it says to a file, and name that, as cdb: or texthash:"
_SEVERAL = "the gate takes one table at a time: name the tables one behind the other"
_REFUSED = {
    **dict.fromkeys(
        ("mysql", "pgsql", "ldap", "sqlite", "mongodb", "memcache", "nis", "nisplus", "netinfo"), _DATABASE
    ),
    **dict.fromkeys(("tcp", "socketmap"), _SERVER),
    "proxy": "the gate reads tables itself: leave out proxy: before the table's name",
    **dict.fromkeys(("unionmap", "pipemap", "randmap"), _SEVERAL),
    **dict.fromkeys(("dbm", "sdbm"), "the gate does not read this format: name the text source, as texthash:"),
    "unix": "the gate does not ask for the users of this system: list them in a file",
    "environ": "the gate takes no table from the environment: use inline:",
    "internal": "it is empty in every new process: use texthash:",
    "fail": "it has no answer but an error",
}


class MapName(NamedTuple):
    """A lookup table as main.cf names it.

    kind: one of KINDS. path_or_text: the path without the suffix of an indexed file, or of an inline or static one
    what it says.
    """

    kind: str
    path_or_text: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.path_or_text}"


class Broken(NamedTuple):
    """The answer of a table that has none now: for Postfix a lookup error. sentence: why, with the table's name."""

    sentence: str


def parse_map_name(word: str) -> MapName:
    """Parse ``type:name``. Raises ValueError with a sentence for the operator, which says a way out.

    Also a kind that the gate does not have is refused, by its name.
    """
    kind, colon, rest = word.partition(":")
    if not colon or kind.startswith("/"):
        raise ValueError(f"'{_said(word)}' is no table: write type:name, as in hash:{_said(word)}")
    if kind == "proxy" and rest.partition(":")[0] in _REFUSED:
        return parse_map_name(rest)
    if kind in _REFUSED:
        raise ValueError(f"table {_said(word)}: {_REFUSED[kind]}")
    if kind not in KINDS:
        raise ValueError(f"table {_said(word)}: there is no type '{_said(kind)}'; there are {', '.join(KINDS)}")
    if not rest:
        raise ValueError(f"table {kind}: has no name behind the colon")
    return MapName(kind, rest)


def _said(word: str) -> str:
    return shown(word.encode("utf-8", "surrogateescape"))
