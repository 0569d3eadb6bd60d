"""A scraper's request, by the letter of HTTP/1 as far as it is needed. Never reads one.

Source: RFC 9110 and RFC 9112; of Accept (RFC 9110, 12.5.1) whether it names OpenMetrics 1.0.0 and does not weigh it 0.
"""

from typing import NamedTuple

from .exposition import OPEN, TEXT, Format

#: Bytes that a request may have.
LIMIT = 2048
END = b"\r\n\r\n"


class Request(NamedTuple):
    """A request that we answer. path: without a query. has_body: whether the answer has one (GET; HEAD has none)."""

    path: bytes
    form: Format
    has_body: bool


class Flaw(NamedTuple):
    """A request that we do not answer. status: the line's code and words."""

    status: bytes


def request(head: bytes) -> Request | Flaw:
    """Read a request. head: all up to the empty line."""
    first, *fields = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, _, version = rest.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not target.startswith(b"/"):
        return Flaw(b"400 Bad Request")
    if method not in (b"GET", b"HEAD"):
        return Flaw(b"405 Method Not Allowed")
    return Request(target.partition(b"?")[0], _form(fields), method == b"GET")


def response(status: bytes, content_type: bytes, body: bytes, *, has_body: bool = True) -> bytes:
    """Write a response; the connection ends behind it. status: code and words."""
    head = (
        b"HTTP/1.0 " + status,
        b"Content-Type: " + content_type,
        b"Content-Length: %d" % len(body),
        b"Cache-Control: no-store",
        b"Connection: close",
        *((b"Allow: GET, HEAD",) if status.startswith(b"405") else ()),
    )
    return b"\r\n".join(head) + END + (body if has_body else b"")


def _form(fields: list[bytes]) -> Format:
    accepted = b",".join(
        value for name, _, value in (field.partition(b":") for field in fields) if name.lower() == b"accept"
    )
    return OPEN if any(map(_asks_for_open, accepted.lower().split(b","))) else TEXT


def _asks_for_open(wanted: bytes) -> bool:
    kind, *parameters = (part.strip() for part in wanted.split(b";"))
    if kind != b"application/openmetrics-text":
        return False
    told = dict(parameter.partition(b"=")[::2] for parameter in parameters)
    is_ours = told.get(b"version", b"1.0.0").strip(b'"') == b"1.0.0"
    return is_ours and told.get(b"q", b"1").rstrip(b"0") not in (b"", b"0.", b".")
