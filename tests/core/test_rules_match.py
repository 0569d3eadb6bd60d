"""Which rule decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.rules.match import Match, keys, match

ORDERS = [
    ((b"1.2.3.4", None, None), [b"1.2.3.4", b"1.2.3.", b"1.2.", b"1.", b""]),
    (
        (b"1.2.3.4", b"a.b.org", None),
        [b"1.2.3.4", b"=a.b.org", b"1.2.3.", b"1.2.", b"1.", b"=.b.org", b"=.org", b"=", b""],
    ),
    ((b"1.2.3.4", None, b"joe"), [b"joe@1.2.3.4", b"1.2.3.4", b"1.2.3.", b"1.2.", b"1.", b""]),
    (
        (b"1.2.3.4", b"h", b"joe"),
        [b"joe@1.2.3.4", b"joe@=h", b"1.2.3.4", b"=h", b"1.2.3.", b"1.2.", b"1.", b"=", b""],
    ),
    ((b"1.2.3.4", None, b""), [b"@1.2.3.4", b"1.2.3.4", b"1.2.3.", b"1.2.", b"1.", b""]),
    ((b"::1", b"h", None), [b"::1", b"=h", b"=", b""]),
    ((b"", b"", None), [b"", b"=", b"=", b""]),
    ((b"1..", b".", None), [b"1..", b"=.", b"1..", b"1.", b"=.", b"=", b""]),
]

texts = st.binary(max_size=12).map(lambda raw: raw.replace(b"\0", b"."))
maybe = st.none() | texts


@pytest.mark.parametrize(("client", "expected"), ORDERS, ids=repr)
def test_keys_are_searched_in_the_order_of_c(
    client: tuple[bytes, bytes | None, bytes | None], expected: list[bytes]
) -> None:
    """Ident first, the exact address, the exact name, then shorter and shorter pieces."""
    assert list(keys(*client)) == expected


@given(texts.map(lambda raw: raw.replace(b":", b".")), maybe, maybe, st.sets(st.integers(0, 40)))
def test_the_first_stored_key_decides(ip: bytes, host: bytes | None, info: bytes | None, stored: set[int]) -> None:
    """Nothing is asked for after it, and nothing but the keys is asked for; IPv6 has a question of its own."""
    order = list(keys(ip, host, info))
    rules = {key: b"value of " + key for number, key in enumerate(order) if number in stored}
    asked = []

    def get(key: bytes) -> bytes | None:
        asked.append(key)
        return rules.get(key)

    found = match(get, ip, host, info)

    first = next((number for number, key in enumerate(order) if key in rules), None)
    assert found == (None if first is None else Match(order[first], rules[order[first]]))
    assert asked == order[: None if first is None else first + 1]


def test_an_empty_value_decides() -> None:
    """An allow without variables is stored as nothing, and it is a rule."""
    assert match({b"1.": b"", b"": b"D\0"}.get, b"1.2.3.4") == Match(b"1.", b"")
