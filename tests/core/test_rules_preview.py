"""What a change of rules would mean: for one client, for the rules themselves, for all clients of a log."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from tests.support.rules_tools import text
from ucspi_py.core.rules.data import instructions
from ucspi_py.core.rules.diff import Change, changes
from ucspi_py.core.rules.explain import explain, key_text
from ucspi_py.core.rules.log_replay import Client
from ucspi_py.core.rules.match import match
from ucspi_py.core.rules.preview import shifts
from ucspi_py.core.rules.source import Record, compiled


class _Table:
    """Rules in memory, as a compiled file has them."""

    def __init__(self, *lines: bytes) -> None:
        self._records = list(compiled(text(lines), b"rules"))
        self._first = dict(reversed(self._records))

    def get(self, key: bytes) -> bytes | None:
        return self._first.get(key)

    def records(self) -> Iterator[Record]:
        yield from self._records


def test_every_key_is_told_up_to_the_one_that_decides() -> None:
    rules = _Table(b"10.1.:deny", b":allow", b"2001:db8::/32:deny", b"8000::/1:allow")

    found = explain(rules.get, b"10.1.2.3", b"mail.example.org", b"joe")
    ipv6 = explain(rules.get, b"2001:db8::1", b"a.b", None)

    assert [key_text(key) for key in found.asked] == [
        "joe@10.1.2.3",
        "joe@=mail.example.org",
        "10.1.2.3",
        "=mail.example.org",
        "10.1.2.",
        "10.1.",
    ]
    assert (found.said.deny, found.source) == (True, b"rules:1")
    assert [key_text(key) for key in ipv6.asked] == ["2001:db8::1", "=a.b", "2001:db8::/32"]


def test_a_client_without_a_rule_is_told_so() -> None:
    found = explain(_Table(b"10.:deny").get, b"1.2.3.4", None, None)

    assert [key_text(key) for key in found.asked] == ["1.2.3.4", "1.2.3.", "1.2.", "1.", ":"]
    assert (found.decided, found.source, found.said.deny) == (None, None, False)


def test_only_what_decides_differs() -> None:
    old = _Table(b"1.:deny", b"2.:allow", b"2.:deny", b"3.:allow", b"2001:db8::/32:deny", b"4.:allow")
    new = _Table(b"4.:allow", b"# moved", b"1.:allow", b"2.:allow", b"5.:deny", b"5.:allow", b"2001:db8::/33:deny")

    found = list(changes(old, new))

    assert found[:2] == [Change(b"1.", b"D\0", b""), Change(b"3.", b"", None)]
    assert found[3] == Change(b"5.", None, b"D\0")
    assert [key_text(change.key) for change in found[2::2]] == ["2001:db8::/32", "2001:db8::/33"]


def test_a_preview_names_who_gains_and_who_loses() -> None:
    old = _Table(b'10.:allow,RELAYCLIENT=""', b"1.:deny", b"2.:allow", b"=.a:allow", b'3.:deny,RELAYCLIENT=""')
    new = _Table(b"10.:allow", b'1.:allow,RELAYCLIENT=""', b"2.:deny", b"=.a:deny", b'3.:allow,RELAYCLIENT=""')
    clients = {
        Client(b"10.1.1.1"): 1,
        Client(b"1.1.1.1"): 5,
        Client(b"2.1.1.1"): 7,
        Client(b"9.9.9.9", b"x.a"): 7,
        Client(b"9.9.9.9"): 99,
        Client(b"3.3.3.3"): 1,
    }

    found = [(one.connections, one.client.ip, one.words) for one in shifts(clients.items(), old, new)]

    assert found == [
        (7, b"2.1.1.1", "loses access"),
        (7, b"9.9.9.9", "loses access"),
        (5, b"1.1.1.1", "gains access and RELAYCLIENT"),
        (1, b"10.1.1.1", "loses RELAYCLIENT"),
        (1, b"3.3.3.3", "gains access and RELAYCLIENT"),
    ]


_IPV4 = [b"10.:deny", b"10.1.:allow", b'10.1.2.3:allow,RELAYCLIENT=""', b"x@10.1.2.3:deny", b"10.0.0.0/9:deny"]
_OTHERS = [
    b"=a.b:deny",
    b"=.b:allow",
    b":deny",
    b":allow",
    b"2001:db8::/32:deny",
    b'2001:db8::/33:allow,RELAYCLIENT=""',
]
_LINES = st.lists(st.sampled_from(_IPV4 + _OTHERS), max_size=6)
_CLIENTS = st.builds(
    Client,
    st.sampled_from([b"10.1.2.3", b"10.1.2.4", b"10.200.1.1", b"1.1.1.1", b"2001:db8::1", b"2001:db8:8000::1"]),
    st.sampled_from([None, b"a.b", b"c.b", b"d"]),
    st.sampled_from([None, b"x"]),
)


@given(_LINES, _LINES, st.sets(_CLIENTS, max_size=6))
def test_nobody_is_forgotten_and_nobody_is_named_for_nothing(
    old_lines: list[bytes], new_lines: list[bytes], clients: set[Client]
) -> None:
    old, new = _Table(*old_lines), _Table(*new_lines)

    found = {one.client for one in shifts(dict.fromkeys(clients, 1).items(), old, new)}

    assert found == {client for client in clients if _outcome(old, client) != _outcome(new, client)}


def _outcome(rules: _Table, client: Client) -> tuple[bool, bool]:
    decided = match(rules.get, *client)
    said = instructions(decided.value if decided else b"")
    return said.deny, b"RELAYCLIENT" in dict(said.variables) and not said.deny
