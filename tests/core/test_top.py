"""Who is inside, as bytes in memory, as the kernel's answers and as text."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.top import table
from ucspi_py.core.top.rates import Rates
from ucspi_py.core.top.sockets import Traffic, is_last, question, traffic
from ucspi_py.core.top.visitor import SIZE, State, Visitor, packed, unpacked

VISITOR = Visitor(1, 2, b"192.0.2.1", 25, State.RCPT, 3, 4, 5, b"a.example", b"helo", b"joe", b"zone x")
CLIENT = {
    "client": "192.0.2.1", "port": 1, "name": None, "helo": "h", "user": None, "state": "rcpt", "waits_for": None,
    "seconds": 1.26, "bytes_received": 1536, "bytes_sent": None, "messages": 0, "worker": 1, "program": None,
}  # fmt: skip


def test_a_row_comes_back_as_it_was() -> None:
    """Of the size that every row has."""
    assert len(packed(VISITOR, 7)) == SIZE
    assert unpacked(packed(VISITOR, 7)) == VISITOR


@given(st.integers(1, SIZE - 4))
def test_a_row_that_is_half_written_is_nobody(at: int) -> None:
    """Until all of it is there: the number of its version at the end is another one."""
    one, other = packed(VISITOR, 1), packed(VISITOR._replace(ip=b"203.0.113.9", name=b"other"), 2)

    assert unpacked(other[:at] + one[at:]) in (None, unpacked(one))


def test_an_empty_row_is_nobody() -> None:
    """As all are at the start."""
    assert unpacked(bytes(SIZE)) is None


@given(st.binary(max_size=300), st.integers(1, 2**40))
def test_a_text_of_any_length_is_cut_to_its_place(text: bytes, version: int) -> None:
    """Whatever a client calls itself, and however often a row was written."""
    found = unpacked(packed(VISITOR._replace(helo=text, waits=text), version))

    assert found is not None
    assert text.startswith(found.helo)
    assert found == VISITOR._replace(helo=found.helo, waits=found.waits)


@given(st.binary(max_size=400))
def test_no_answer_of_the_kernel_is_a_surprise(packet: bytes) -> None:
    """Whatever it says, it is read to its end."""
    list(traffic(packet))
    is_last(packet)


def test_traffic_is_read_from_an_answer_of_the_kernel() -> None:
    """Bytes acknowledged and received, of the socket of an inode."""
    info = bytes(120) + struct.pack("=QQ", 11, 22)
    body = bytes(68) + struct.pack("=I", 99) + struct.pack("=HH", 4 + len(info), 2) + info
    packet = struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body
    done = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)

    assert list(traffic(packet + done)) == [(99, Traffic(received=22, sent=11))]
    assert not is_last(packet)
    assert is_last(packet + done)
    assert len(question(2, 25)) == 72


def test_a_rate_is_of_the_last_ten_seconds() -> None:
    """What was before is forgotten."""
    rates = Rates()
    assert rates.per_second(0.0, {"ok": 5}) == {"ok": 0.0}
    for second in range(100):
        rates.note(float(second), {"ok": 1000 if second < 50 else 1000 + 2 * (second - 50)})

    assert rates.per_second(100.0, {"ok": 1100}) == {"ok": 2.0}


def test_the_cells_of_a_client() -> None:
    """What it calls itself stands for a name that it does not have."""
    assert table.cells(CLIENT) == ("192.0.2.1", "h", "rcpt", "1", "1.5K", "-", "-", "-")


@given(st.text())
def test_no_text_reaches_the_terminal_but_what_is_printable(text: str) -> None:
    """No escape sequence, no line end and no change of direction."""
    cells = table.cells({**CLIENT, "name": text, "user": text, "client": text, "waits_for": text, "state": text})

    assert all(cell.isprintable() and len(cell) <= 40 for cell in cells)
