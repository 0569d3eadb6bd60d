"""The words of a list of domains or of tables, as of mydestination and local_recipient_maps -> values."""

from collections.abc import Sequence

from ...errors import AskedWrongly
from ..language.words import Word
from ..maps.names import MapName, parse_map_name
from .settings import DomainList, DomainPattern, Maps


def parse_domains(words: Sequence[Word]) -> DomainList:
    """Parse a list of domains (match_list.c): names, tables of them, and ``!`` before what is none of them.

    Raises AskedWrongly with the place of a table that the gate cannot read, and of a file.
    """
    return tuple(_pattern(word) for word in words)


def parse_maps(words: Sequence[Word]) -> Maps:
    """Parse a list of tables, which are looked into in their order. Raises AskedWrongly as parse_domains does."""
    return tuple(_table(word.text, word.where) for word in words)


def _pattern(word: Word) -> DomainPattern:
    name = word.text.lstrip("!")
    excluded = (len(word.text) - len(name)) % 2 == 1
    if name.startswith("/"):
        raise AskedWrongly(
            f"{word.where}: the gate reads no list of domains from a file: name them, or a table of them"
        )
    if ":" in name and not name.startswith("["):
        return DomainPattern(_table(name, word.where), excluded)
    if not name:
        raise AskedWrongly(f"{word.where}: behind '{word.text}' a domain is missing")
    return DomainPattern(name.lower().encode("utf-8", "surrogateescape"), excluded)


def _table(text: str, where: str) -> MapName:
    try:
        return parse_map_name(text)
    except ValueError as wrong:
        raise AskedWrongly(f"{where}: {wrong}") from None
