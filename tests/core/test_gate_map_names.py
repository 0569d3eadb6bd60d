"""``type:name`` of a lookup table."""

import pytest

from ucspi_py.core.gate.maps.names import MapName, parse_map_name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("hash:/etc/postfix/access", MapName("hash", "/etc/postfix/access")),
        ("texthash:access", MapName("texthash", "access")),
        ("static:OK", MapName("static", "OK")),
        ("inline:{ {a=b: c} }", MapName("inline", "{ {a=b: c} }")),
        ("cidr:/etc/a:b", MapName("cidr", "/etc/a:b")),
    ],
)
def test_a_name_has_a_kind_and_what_stands_behind_it(word: str, name: MapName) -> None:
    """All behind the first colon belongs to the table; written out, the name is what it was."""
    assert parse_map_name(word) == name
    assert str(name) == word


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("/etc/postfix/access", "'/etc/postfix/access' is no table: write type:name, as in hash:/etc/postfix/access"),
        ("reject", "'reject' is no table"),
        ("", "'' is no table"),
        ("mysql:/etc/x.cf", "table mysql:/etc/x.cf: the gate asks no database"),
        ("tcp:127.0.0.1:99", "the gate asks no other program"),
        ("proxy:hash:/x", "leave out proxy:"),
        ("proxy:mysql:/etc/x.cf", "table mysql:/etc/x.cf: the gate asks no database"),
        ("unionmap:{hash:/x}", "one behind the other"),
        ("hsah:/x", "there is no type 'hsah'; there are texthash, hash,"),
        ("HASH:/x", "there is no type 'HASH'"),
        ("hash:", "table hash: has no name behind the colon"),
        ("h\x1b\udcff:x", "there is no type 'h\\x1b\\xff'"),
    ],
)
def test_what_is_no_table_of_the_gate_is_refused_with_a_way_out(word: str, said: str) -> None:
    """Kinds of Postfix that the gate does not have are refused by their name."""
    with pytest.raises(ValueError) as refused:
        parse_map_name(word)

    assert said in str(refused.value)
