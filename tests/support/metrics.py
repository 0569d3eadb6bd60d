"""The numbers of a running service, as a scraper gets them."""

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

from .waiting import PATIENCE, until

OPEN = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


class Answer(NamedTuple):
    """An answer of HTTP. fields: by their names in small letters."""

    status: int
    fields: dict[str, str]
    body: str


def ask(path: Path, target: str, *fields: str, method: str = "GET") -> Answer:
    """Ask at a socket."""
    with connected(path) as scraper:
        scraper.sendall("\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", *fields, "", "")).encode())
        return answered(scraper)


def connected(path: Path) -> socket.socket:
    """A scraper that has said nothing yet."""
    scraper = socket.socket(socket.AF_UNIX)
    scraper.connect(str(path))  # with a timeout it would not wait for room among those that wait
    scraper.settimeout(PATIENCE)
    return scraper


def answered(scraper: socket.socket) -> Answer:
    """An answer to its end."""
    said = b""
    while piece := scraper.recv(65536):
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), fields, body.decode())


class Numbers:
    """What a text says, by the parser of Prometheus's own client."""

    def __init__(self, text: str, *, is_open: bool = False) -> None:
        self.families: list[Metric] = list(_parsed(text, is_open=is_open))
        self._found = {
            (sample.name, *sorted((k, v) for k, v in sample.labels.items() if k != "service")): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, /, **labels: str) -> float:
        """One number."""
        return self._found[(f"ucspi_{name}", *sorted(labels.items()))]

    def label_sets(self) -> set[tuple[object, ...]]:
        """All names with their labels."""
        return set(self._found)


def numbers(path: Path) -> Numbers:
    """The numbers now."""
    return Numbers(ask(path, "/metrics").body)


def wait_for(path: Path, value: float, name: str, /, **labels: str) -> Numbers:
    """The numbers, once one of them has a value."""

    def look() -> Numbers | None:
        found = numbers(path)
        return found if found(name, **labels) == value else None

    return until(look, f"{name}{labels} = {value}: {ask(path, '/metrics').body}")


def _parsed(text: str, *, is_open: bool) -> Iterable[Metric]:
    read: Callable[[str], Iterable[Metric]] = read_open if is_open else read_text
    return read(text)
