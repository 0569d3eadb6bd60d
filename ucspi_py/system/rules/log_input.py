"""A log on standard input, line by line, whether it is compressed or not. Never looks at what is in the lines."""

import zlib
from collections.abc import Generator, Iterator
from io import BufferedIOBase

from ...core.errors import Failure, unable

#: Bytes read at once.
_CHUNK = 1 << 16
#: Compressed bytes that are unpacked at once: deflate makes 1,032 times as much of them at most, 4 MB.
_BITE = 1 << 12
#: RFC 1952, 2.3.1: how gzip data begins; and zlib's windowBits for it (zlib.h, inflateInit2).
_GZIP = b"\x1f\x8b"
_EITHER = zlib.MAX_WBITS | 16
#: Bytes of a line; the rest of a longer one is passed over: no client may choose where a line begins.
_LONGEST = 1 << 16


def standard_input() -> Iterator[bytes]:
    """Yield the lines of standard input without their newlines. Raises Failure ``unable to read input: reason``."""
    try:
        with open(0, "rb", closefd=False) as stream:
            yield from lines(stream)
    except OSError as error:
        raise unable("read input", error) from None


def lines(stream: BufferedIOBase) -> Iterator[bytes]:
    """Yield the lines of a stream without their newlines. What gzip has made is unpacked, also between other lines.

    Raises Failure for damaged gzip data, or what read1() does.
    """
    pending = b""
    for text in _unpacked(stream):
        *whole, rest = text.split(b"\n")
        if whole:
            whole[0] = pending + whole[0]
            yield from (line[:_LONGEST] for line in whole)
            pending = b""
        pending = (pending + rest)[:_LONGEST]
    if pending:
        yield pending


def _unpacked(stream: BufferedIOBase) -> Iterator[bytes]:
    while rest := stream.read1(_CHUNK):
        while rest:
            if _GZIP.startswith(rest[-1:]):
                rest += stream.read1(_CHUNK)
            if rest.startswith(_GZIP):
                rest = yield from _member(stream, rest)
            else:
                end = rest.find(b"\n" + _GZIP) + 1 or len(rest)
                yield rest[:end]
                rest = rest[end:]


def _member(stream: BufferedIOBase, rest: bytes) -> Generator[bytes, None, bytes]:
    """Yield what gzip has packed at the beginning of rest and in the stream; return what stands behind it."""
    inflater = zlib.decompressobj(wbits=_EITHER)
    while not inflater.eof:
        rest = rest or stream.read1(_CHUNK)
        if not rest:
            raise Failure("unable to read input: gzip data is cut off")
        try:
            yield inflater.decompress(rest[:_BITE])
        except zlib.error:
            raise Failure("unable to read input: damaged gzip data") from None
        rest = rest[_BITE:]
    return inflater.unused_data + rest
