"""The logical lines of a table's source (readlline.c, readllines). Never looks at what they say."""

from collections.abc import Iterator


def logical_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with the number of their first one, from 1, without comments and without blanks at their end.

    A line that begins with a blank continues the one above, also across comments and empty lines. Where there is none
    above, the first one that is yielded begins with that blank.
    """
    begun, parts = 0, list[bytes]()
    for number, line in enumerate(text.split(b"\n"), 1):
        bare = line.lstrip()
        if not bare or bare.startswith(b"#"):
            continue
        if begun and bare != line:
            parts.append(line)
            continue
        if begun:
            yield begun, b"".join(parts).rstrip()
        begun, parts = number, [line]
    if begun:
        yield begun, b"".join(parts).rstrip()
