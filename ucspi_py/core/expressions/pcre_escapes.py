"""What a backslash means to PCRE2, in an expression and between brackets (pcre2pattern(3))."""

import re

from . import bytesets
from .scanner import Scanner, Unknown, said

#: Escapes that stand for no bytes.
ASSERTIONS = {b"b": rb"\b", b"B": rb"(?!\b)", b"A": rb"\A", b"Z": rb"(?=\n?\Z)", b"z": rb"\Z"}
#: Escapes for more than one byte of a set. \R takes both bytes of CR LF, and never gives one back.
SEQUENCES = {b"R": rb"(?:\r\n|(?!\r\n)[\n\x0b\x0c\r\x85])", b"N": rb"[^\n]"}
_BYTES = {b"a": 0x07, b"e": 0x1B, b"f": 0x0C, b"n": 0x0A, b"r": 0x0D, b"t": 0x09}
_HEX = re.compile(rb"\{([0-9A-Fa-f]+)\}|(?!\{)([0-9A-Fa-f]{0,2})")
_OCTAL = re.compile(rb"[0-7]{0,2}")


def escaped(scanner: Scanner, letter: bytes) -> int | frozenset[int]:
    """Read the rest of an escape -> the byte or the set that it is. letter: behind the backslash. Raises Unknown."""
    if letter in bytesets.ESCAPED:
        return bytesets.ESCAPED[letter]
    if letter in _BYTES:
        return _BYTES[letter]
    if letter == b"x":
        return _hexadecimal(scanner)
    if letter == b"c":
        return _control(scanner.take())
    if letter == b"0":
        found = scanner.take_match(_OCTAL)
        return int(found[0] or b"0", 8) if found else 0
    if not letter:
        raise Unknown(r"there is nothing behind the last \ of it")
    if letter.isalnum():
        raise Unknown(f"\\{said(letter)} is not translated")
    return letter[0]


def _hexadecimal(scanner: Scanner) -> int:
    found = scanner.take_match(_HEX)
    number = int(found[1] or found[2] or b"0", 16) if found else 256
    if number > 255:
        raise Unknown(r"\x{...} is no byte in hexadecimal digits")
    return number


def _control(byte: bytes) -> int:
    if not byte or not 32 <= byte[0] <= 126:
        raise Unknown(r"\c has no printable sign of ASCII behind it")
    return byte.upper()[0] ^ 0x40
