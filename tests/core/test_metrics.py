"""Metrics: what is counted where, the text of both formats, and what a scraper asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.metrics import Numbers
from ucspi_py.core.client import limits
from ucspi_py.core.client.limits import ClientLimits, Presence
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.metrics import request as requests
from ucspi_py.core.metrics.counted import Counter, Histogram, Summary, families
from ucspi_py.core.metrics.exposition import OPEN, TEXT, Format, exposed
from ucspi_py.core.metrics.family import Family, Kind, Sample
from ucspi_py.core.metrics.names import CELLS, COUNTED, LIMIT_HITS, status_of, told_apart
from ucspi_py.core.metrics.request import Flaw, Request
from ucspi_py.core.metrics.settings import TcpPort, UnixSocket, place

ASKED = Counter("asked", "Questions.", (("zone", ("a", "b")), ("result", ("yes", "no", "other"))), 7)
WAITED = Histogram("waited", "Seconds.", (0.5, 2.0), 3)


def test_every_number_has_a_cell_of_its_own() -> None:
    """One behind the other, from 0 on."""
    assert [cell for one in COUNTED for cell in range(one.first, one.end)] == list(range(CELLS))


def test_label_values_have_their_cells_in_turn() -> None:
    """What is none of them is counted as the last."""
    cells = [ASKED.cell(zone, result) for zone in ("a", "b") for result in ("yes", "no", "other")]

    assert cells == list(range(ASKED.first, ASKED.end))
    assert ASKED.cell("a", "whatever\n") == ASKED.cell("a", "other")
    assert [sample.labels for sample in ASKED.family(lambda cell: cell).samples][1] == (("zone", "a"), ("result", "no"))
    assert [sample.value for sample in ASKED.family(lambda cell: cell).samples] == cells


def test_a_histogram_is_cumulative_when_it_is_read() -> None:
    """A value on a bound is within it (``le``)."""
    cells = [0] * 8
    for microseconds in (500_000, 500_001, 9_000_000):
        cells[WAITED.bucket(microseconds / 1e6)] += 1
        cells[WAITED.sum()] += microseconds
    samples = [
        (sample.suffix, *(value for _, value in sample.labels), sample.value)
        for sample in WAITED.family(cells.__getitem__).samples
    ]

    assert samples == [
        ("_bucket", "0.5", 1),
        ("_bucket", "2", 2),
        ("_bucket", "+Inf", 3),
        ("_count", 3),
        ("_sum", 10.000001),
    ]


def test_a_summary_has_two_cells_of_each_label_set() -> None:
    """How often, and how long in all; what is counted is not read by another's name."""
    took = Summary("took", "Seconds.", (("server", ("a", "b")),), 5)
    cells = [0] * took.end
    for _ in range(3):
        cells[took.count("b")] += 1
        cells[took.sum("b")] += 500_000

    assert took.end == 9
    assert [
        (sample.suffix, sample.labels[0][1], sample.value) for sample in took.family(cells.__getitem__).samples
    ] == [
        ("_count", "a", 0),
        ("_sum", "a", 0),
        ("_count", "b", 3),
        ("_sum", "b", 1.5),
    ]


@given(st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_text_come_back(value: str, text: str, number: float) -> None:
    """By the parser of Prometheus's client; texts are ours, and one line each."""
    text = text.replace("\r", "")
    family = Family("x", Kind.GAUGE, text or "x", (Sample(number, (("label", value.replace("\r", "")),)),))
    for form in (TEXT, OPEN):
        written = exposed((family,), (("service", "a:1"),), form).decode()
        if "\x0b" in written or "\x0c" in written:  # the text parser takes them for blanks
            continue
        (found,) = Numbers(written, is_open=form.is_open).families[0].samples
        assert found.labels["service"] == "a:1"
        assert found.value == number
        if value.isprintable():
            assert found.labels["label"] == value


def test_both_formats_say_the_same_of_all_that_is_counted() -> None:
    """A counter's family has its ``_total`` in the older one alone."""
    told = families(COUNTED, lambda cell: cell)
    text, opened = (exposed(told, (), form).decode() for form in (TEXT, OPEN))

    assert Numbers(text).label_sets() == Numbers(opened, is_open=True).label_sets()
    assert "# TYPE ucspi_decisions_total counter\n" in text
    assert "# TYPE ucspi_decisions counter\n" in opened
    assert opened.endswith("\n# EOF\n")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (b"", TEXT),
        (b"Accept: */*", TEXT),
        (b"accept: application/openmetrics-text; version=1.0.0", OPEN),
        (b"ACCEPT:text/plain;q=0.2,application/openmetrics-text;version=1.0.0;q=0.5", OPEN),
        (b"Accept: application/openmetrics-text", OPEN),
        (b"Accept: application/openmetrics-text;version=0.0.1", TEXT),
        (b"Accept: application/openmetrics-text;q=0.0", TEXT),
        (b"X: application/openmetrics-text", TEXT),
    ],
)
def test_who_asks_for_open_metrics_gets_it(accept: bytes, form: Format) -> None:
    """Nobody else does."""
    assert requests.request(b"GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n" + accept) == Request(b"/metrics", form, True)


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", b"400"),
        (b"GET /", b"400"),
        (b"GET x HTTP/1.1", b"400"),
        (b"\x16\x03\x01", b"400"),
        (b"POST / HTTP/1.0", b"405"),
    ],
)
def test_what_is_no_request_is_told_so(head: bytes, code: bytes) -> None:
    """Whatever it is."""
    asked = requests.request(head)

    assert isinstance(asked, Flaw)
    assert asked.status.startswith(code)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_none(head: bytes) -> None:
    """Nothing raises."""
    assert isinstance(requests.request(head), Flaw | Request)


def test_an_answer_has_its_length_though_it_has_no_body() -> None:
    """HEAD says what GET would."""
    head, _, body = requests.response(b"200 OK", b"text/plain", b"12345", has_body=False).partition(b"\r\n\r\n")

    assert b"Content-Length: 5" in head
    assert body == b""


def test_a_place_is_a_path_or_an_address_with_a_port() -> None:
    """As they are written for curl and Prometheus."""
    assert place("unix:/run/x") == UnixSocket("/run/x")
    assert place("127.0.0.1:9999") == TcpPort("127.0.0.1", 9999)
    assert place("[::1]:9999") == TcpPort("::1", 9999)


@pytest.mark.parametrize("text", ["", "9999", "localhost:9999", "unix:run/x", f"unix:/{'x' * 107}", "127.0.0.1:0"])
def test_nothing_else_is_a_place(text: str) -> None:
    """It is said at the start."""
    with pytest.raises(AskedWrongly):
        place(text)


def test_each_limit_is_known_by_what_the_log_says_of_it() -> None:
    """And is one of the label's values."""
    asked = ClientLimits(per_client=1, per_network=1, arrivals=1, load=1)
    free = Presence(0, 0, 0, 0)
    over = {
        "client": free._replace(of_client=1),
        "network": free._replace(of_network=1),
        "rate": free._replace(arrivals=2),
        "load": free._replace(load=2),
    }
    for limit, presence in over.items():
        excess = limits.exceeded(asked, presence)
        assert excess
        assert limits.limit_of(excess.reason) == limit
    assert {*over, limits.limit_of(limits.NO_SLOT)} == set(LIMIT_HITS.labels[0][1])


def test_a_status_is_an_exit_code_or_a_signal() -> None:
    """djb's codes, and all others."""
    statuses = (0, 100 << 8, 111 << 8, 1 << 8, 9)

    assert [status_of(status) for status in statuses] == ["0", "100", "111", "other", "signal"]


def test_two_zones_of_one_name_are_told_apart() -> None:
    """Also from one that has such a name already."""
    assert told_apart(["zen", "bl", "zen", "zen-3", "zen"]) == ["zen", "bl", "zen-2", "zen-3", "zen-4"]
