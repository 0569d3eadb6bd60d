"""What db5.3_dump prints of postgrey's databases."""

from ucspi_py.core.greylist.triplet.decision import Client, Triplet
from ucspi_py.core.greylist.triplet.key import triplet_key
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.postgrey.dump import Entry, Flaw, Hashed, KnownClient, KnownTriplet, entries
from ucspi_py.core.postgrey.importing import Taken, taken
from ucspi_py.core.postgrey.taking import ClientTaken, TripletTaken

_NOW = 1_800_000_000
_SETTINGS = TripletSettings("db", counts_networks=False)


def _dump(*lines: str, form: str = "print") -> list[Entry]:
    text = f"VERSION=3\nformat={form}\ntype=btree\ndb_pagesize=4096\nHEADER=END\n"
    text += "".join(f" {line}\n" for line in lines) + "DATA=END\n"
    return list(entries(text.encode().splitlines(keepends=True)))


def test_triplets_and_clients_are_told_apart() -> None:
    assert _dump("192.0.2.0/a@b.org/c@d.org", "100,400", "192.0.2.7", "3,400", "2001:DB8:0:0:0:0:0:1", "1,2") == [
        KnownTriplet(b"192.0.2.0", b"a@b.org", b"c@d.org", 100, 400),
        KnownClient(b"192.0.2.7", 3, 400),
        KnownClient(b"2001:db8::1", 1, 2),
    ]


def test_bytes_that_are_not_printed_are_escaped() -> None:
    (known,) = _dump(r"192.0.2.0//\c3\a4\\x@d.org", "100,400,host")
    assert known == KnownTriplet(b"192.0.2.0", b"", b"\xc3\xa4\\x@d.org", 100, 400)


def test_a_dump_without_p_is_in_hexadecimal() -> None:
    key, value = b"192.0.2.7".hex(), b"3,400".hex()
    assert _dump(key, value, "zz", value, form="bytevalue") == [
        KnownClient(b"192.0.2.7", 3, 400),
        Flaw(9, "has no two numbers with a comma between them"),
    ]


def test_what_was_hashed_is_passed_over() -> None:
    assert _dump("a" * 40, "100,400") == [Hashed()]


def test_what_is_none_is_named_with_its_line() -> None:
    assert _dump("192.0.2.7", "x", "nobody", "1,2", "192.0.2.0/a@b.org", "1,2") == [
        Flaw(7, "has no two numbers with a comma between them"),
        Flaw(9, "is about neither a triplet nor a client"),
        Flaw(11, "is about neither a triplet nor a client"),
    ]


def test_several_dumps_may_follow_each_other() -> None:
    one = b"HEADER=END\n 192.0.2.7\n 3,400\nDATA=END\n"
    assert list(entries((one + one).splitlines())) == 2 * [KnownClient(b"192.0.2.7", 3, 400)]


def test_a_dump_without_its_end_and_another_file_are_told() -> None:
    assert list(entries([b"HEADER=END\n", b" 192.0.2.7\n"])) == [Flaw(2, "the dump is cut off")]
    assert list(entries([b"x\n"])) == [Flaw(1, "there is no dump: db5.3_dump -p makes one")]
    assert list(entries([])) == [Flaw(0, "there is no dump: db5.3_dump -p makes one")]


def test_a_triplet_keeps_its_times_under_the_key_that_a_request_has() -> None:
    known = KnownTriplet(b"192.0.2.0", b"a@b.org", b"c@d.org", _NOW - 900, _NOW - 500)
    key = triplet_key(b"192.0.2.0/24", b"a@b.org", b"c@d.org")
    assert taken(known, _NOW, _SETTINGS) == Taken(key, TripletTaken(_NOW, Triplet(_NOW - 900, _NOW - 500), _SETTINGS))


def test_a_triplet_that_waits_waits_on() -> None:
    """Its early retry is not kept."""
    known = KnownTriplet(b"192.0.2.0", b"a@b.org", b"c@d.org", _NOW - 200, _NOW - 100)
    found = taken(known, _NOW, _SETTINGS)
    assert found and found.change.record == Triplet(_NOW - 200, _NOW - 200)


def test_a_client_keeps_its_passes() -> None:
    found = taken(KnownClient(b"192.0.2.7", 3, _NOW - 5), _NOW, _SETTINGS)
    assert found == Taken("192.0.2.7", ClientTaken(_NOW, Client(3, _NOW - 5), _SETTINGS.max_age))


def test_what_has_expired_is_not_taken() -> None:
    old = _NOW - _SETTINGS.max_age - _SETTINGS.max_age // 100 - 1
    assert taken(KnownTriplet(b"192.0.2.0", b"", b"c@d.org", old - 900, old), _NOW, _SETTINGS) is None
    assert taken(KnownTriplet(b"192.0.2.0", b"", b"c@d.org", _NOW - 200_000, _NOW - 200_000), _NOW, _SETTINGS) is None
    assert taken(KnownClient(b"192.0.2.7", 3, old), _NOW, _SETTINGS) is None


def test_times_of_the_future_are_of_now() -> None:
    found = taken(KnownClient(b"192.0.2.7", 3, 2 * _NOW), _NOW, _SETTINGS)
    assert found and found.change.record == Client(3, _NOW)
