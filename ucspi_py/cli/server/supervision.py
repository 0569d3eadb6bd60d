"""Options about who starts pytcpserver, who restarts it and who looks at it. Never says what a client meets."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ...core.errors import AskedWrongly
from ...core.metrics import settings as places
from ...core.metrics.settings import MetricsSettings
from .. import djb_click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _place(text: str) -> tuple[str, str]:
    """A host and a port, with a colon between them; a host that has one stands in brackets, or not."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port):
        raise AskedWrongly(f"--also must be HOST:PORT, not '{text}'")
    return host, port


def metrics(place: str | None, file: str | None) -> MetricsSettings | None:
    """Make the settings of --metrics and --metrics-file; None = numbers are for nobody. Raises AskedWrongly."""
    if place is None and file is None:
        return None
    return MetricsSettings(None if place is None else places.place(place), file)


def top(path: str | None) -> str | None:
    """Check the path of --top; None = nobody asks who is inside. Raises AskedWrongly."""
    return None if path is None else places.socket_path("--top", path).path


_OPTIONS = (
    click.option(
        "--metrics", "metrics_place", metavar="PLACE", help="Show numbers at unix:PATH or ADDRESS:PORT, for Prometheus."
    ),
    click.option("--metrics-file", metavar="FILE", help="Write them to FILE every 15 seconds, for node_exporter."),
    click.option("--top", metavar="SOCKET", help="Tell pyucspitop at SOCKET who is inside; root and -u alone may ask."),
    click.option(
        "--also",
        multiple=True,
        metavar="HOST:PORT",
        callback=lambda _ctx, _param, words: tuple(map(_place, words)),
        help="Listen there, too: for the same program and rules.",
    ),
    click.option(
        "--listen-fd",
        "listen_fds",
        metavar="N",
        multiple=True,
        type=djb_click.Number(),
        help="Accept on descriptor N, which listens already; HOST and PORT are its own, or -.",
    ),
    click.option(
        "--ready-fd",
        metavar="N",
        type=djb_click.Number(),
        help="Write an empty line to descriptor N once workers serve.",
    ),
    click.option(
        "--drain",
        "drain_seconds",
        metavar="SECONDS",
        type=djb_click.Number(1),
        help="After it, a worker that is to leave leaves the clients that it carries.",
    ),
    click.option(
        "--lame",
        "lame_seconds",
        metavar="SECONDS",
        type=djb_click.Number(),
        default=0,
        help="After TERM, serve for so long while checks of proxies fail (0).",
    ),
)


def options(command: _Command) -> _Command:
    """Add them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
