"""A report for programs. Never decides what is in it."""

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime

from ...core.summary.report import Report
from ...core.summary.returns import Returns
from ...core.text import shown

_HOUR = 3600


def report(one: Report) -> dict[str, object]:
    """Make what JSON can say of a report. Times are those of the log's clock, without a zone."""
    hours = [{"hour": _time(hour * _HOUR), **asdict(counts)} for hour, counts in one.hours.items()]
    told = {name: _told(value) for name, value in one._asdict().items()}
    return told | {
        "first": None if one.first is None else _time(one.first),
        "last": None if one.last is None else _time(one.last),
        "hours": hours,
        "triplets": _returns(one.triplets),
        "networks": _returns(one.networks),
    }


def _returns(one: Returns) -> dict[str, object]:
    delays = [{"seconds": bound, "number": number} for bound, number in one.delays.items()]
    reasons = [{"name": shown(name), "number": number} for name, number in one.reasons]
    return one._asdict() | {"delays": delays, "reasons": reasons, "stayed_away": one.stayed_away}


def _told(value: object) -> object:
    """Names become texts, and values with fields objects of JSON."""
    if isinstance(value, bytes):
        return shown(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _told(one) for name, one in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
