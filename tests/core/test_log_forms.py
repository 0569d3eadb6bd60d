"""Events as lines of JSON and logfmt: whatever a client says, each is one line, and what it says comes back."""

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.log.event import Event, Value
from ucspi_py.core.log.forms import FORMS, Stamp, json_line, logfmt_line

STAMP = Stamp("2026-11-26T05:00:00.123456Z", 77)
VALUES = st.one_of(
    st.binary(max_size=600),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers(-(2**31), 2**31),
    st.none(),
)
EVENTS = st.builds(
    Event,
    st.just("left"),
    st.dictionaries(st.sampled_from(["helo", "host", "user", "msg", "code", "reply"]), VALUES).flatmap(
        lambda fields: st.dictionaries(st.binary(max_size=80), st.binary(max_size=80), max_size=80).map(
            lambda zones: {**fields, "zones": zones}
        )
    ),
    st.just("info"),
)


def of_json(value: Value) -> object:
    """The value that stands in the one event of a line."""
    return json.loads(json_line(STAMP, Event("left", {"helo": value})))["helo"]


def of_logfmt(value: Value) -> str:
    """The field as it is written."""
    line = logfmt_line(STAMP, Event("left", {"helo": value})).decode()
    return line.removesuffix("\n").partition(" helo=")[2]


def test_a_line_begins_with_what_every_line_has() -> None:
    """In this order, so that tools may cut it; what is unknown is left out, and numbers are numbers."""
    event = Event("connection", {"cid": b"1a", "ip": b"192.0.2.7", "host": None, "port": 25, "decision": "ok"})

    assert json_line(STAMP, event) == (
        b'{"ts":"2026-11-26T05:00:00.123456Z","level":"info","event":"connection","pid":77,'
        b'"cid":"1a","ip":"192.0.2.7","port":25,"decision":"ok"}\n'
    )
    assert logfmt_line(STAMP, event) == (
        b"ts=2026-11-26T05:00:00.123456Z level=info event=connection pid=77 cid=1a ip=192.0.2.7 port=25 decision=ok\n"
    )


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"plain", "plain"),
        ("gr\u00fcn".encode(), "gr\u00fcn"),
        (b"a\xffb", "a\\xffb"),
        (b"\xc2\x9b31m", "\\x9b31m"),
        (b"x\x7f", "x\\x7f"),
        ("a\u2028b".encode(), "a\\u2028b"),
        ("a\u202egpj.exe".encode(), "a\\u202egpj.exe"),
        ("\u2066a\u200b\ufeff".encode(), "\\u2066a\\u200b\\ufeff"),
        ("\U000e0041".encode(), "\\U000e0041"),
        (b'"quoted"', '"quoted"'),
        (b"a\\b", "a\\b"),
        (b"two\nlines", "two\nlines"),
        (b"", ""),
        ("\udcff", "\\xff"),
    ],
    ids=ascii,
)
def test_what_cannot_be_seen_is_shown_as_an_escape(said: Value, shown: str) -> None:
    """So no line is lost for its bytes, and none looks like another one, written from right to left."""
    assert of_json(said) == shown
    if "\n" not in shown:
        assert shlex.split(of_logfmt(said)) == [shown]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (b"plain", "plain"),
        (b"a b", '"a b"'),
        (b"a=b", '"a=b"'),
        (b'a"b', r'"a\"b"'),
        (b"a\nb\rc\td", r'"a\nb\rc\td"'),
        (b"\x1b[31m", r'"\\x1b[31m"'),
        (b"", '""'),
        (-9, "-9"),
        ({b"zen": b"127.0.0.2/3ms", b"bl": b"clean/1ms"}, '"zen=127.0.0.2/3ms bl=clean/1ms"'),
    ],
    ids=repr,
)
def test_a_field_of_logfmt_is_quoted_where_it_must_be(said: Value, written: str) -> None:
    """A blank, a quote, an equals sign, a control character, or nothing at all."""
    assert of_logfmt(said) == written


def test_zones_are_the_one_thing_that_is_nested() -> None:
    """By alias."""
    assert of_json({b"zen": b"127.0.0.2/3ms"}) == {"zen": "127.0.0.2/3ms"}


@given(EVENTS)
def test_every_line_is_one_line_that_a_pipe_takes_whole(event: Event) -> None:
    """UTF-8, PIPE_BUF at most with a priority in front, with nothing that a terminal obeys; and JSON is JSON."""
    for form in FORMS.values():
        line = form(STAMP, event)
        assert len(line) <= 4096 - len(b"<4>")
        assert line.endswith(b"\n")
        assert line[:-1].decode().isprintable()
    told = json.loads(json_line(STAMP, event))
    assert all(isinstance(value, str | int) for name, value in told.items() if name != "zones")
    assert {name for name, value in event.fields.items() if value is not None} < set(told)


@given(st.dictionaries(st.sampled_from(["helo", "host", "pid", "code"]), st.one_of(st.binary(max_size=60), VALUES)))
def test_a_field_is_told_in_the_same_way_whatever_is_beside_it(fields: dict[str, Value]) -> None:
    """Zones beside it, or nothing odd at all."""
    fields["pid"] = 7
    alone, beside = (
        json.loads(json_line(STAMP, Event("left", {**fields, **more}))) for more in ({}, {"zones": {b"z": b"clean"}})
    )

    assert {**alone, "zones": {"z": "clean"}} == beside


@pytest.mark.parametrize("form", FORMS)
def test_a_long_value_is_cut_and_none_of_the_others_is_lost(form: str) -> None:
    """However much a client says in each field that it has."""
    fields = {name: bytes([byte]) * 5000 for byte, name in enumerate(("helo", "sender", "recipient", "host", "info"))}

    line = FORMS[form](STAMP, Event("reject", {**fields, "code": 554}))

    assert all(name.encode() in line for name in (*fields, "code"))
    assert line.count(b"...") == len(fields)
