"""Decimal digits -> numbers, in the ways in which they are read here. Never guesses what was meant."""

#: The largest number that an option or a rule of ours takes.
MOST = 999_999_999
_LAST_PORT = 65535
_DIGITS = b"0123456789"
#: An unsigned long of C, on 64-bit systems.
_ULONG = 1 << 64


def decimal(text: str) -> int | None:
    """Parse decimal digits and nothing else, up to 999,999,999; None for any other text."""
    number = clamped(text.encode("ascii")) if text.isascii() and text.isdigit() else MOST + 1
    return number if number <= MOST else None


def port(text: str) -> int | None:
    """Parse the number of a port, 1 to 65535; None for any other text."""
    number = decimal(text)
    return number if number and number <= _LAST_PORT else None


def clamped(digits: bytes) -> int:
    """Parse decimal digits, any number of them; a number above 999,999,999 is 1,000,000,000.

    int() takes time that grows with the square of their number, and no more than 4300 of them.
    """
    significant = digits.lstrip(b"0")
    return int(significant or b"0") if len(significant) <= len(str(MOST)) else MOST + 1


def scan_ulong(text: bytes) -> int:
    """Parse the digits that a text begins with, as C does (scan_ulong.c): none are 0, and 64 bits wrap around."""
    number = 0
    for digit in text[: len(text) - len(text.lstrip(_DIGITS))]:
        number = (number * 10 + digit - ord("0")) % _ULONG
    return number
