"""Which stores are servers, and which URLs mean something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.store.url import Sentinels, flaw, is_url, sentinels, server, shown


@pytest.mark.parametrize("store", ["/var/lib/greylist/db", "db", "./redis:6379", "a:b", ":memory:", "/x/redis://h"])
def test_a_file(store: str) -> None:
    """Whatever is not written like a URL."""
    assert not is_url(store)
    assert shown(store) == store


@pytest.mark.parametrize(
    "store",
    [
        *(
            "redis://h",
            "redis://h/",
            "redis://h/0",
            "redis://h/15/",
            "redis://mx_1.example.org:6380/3",
            "redis://10.0.0.1",
        ),
        *("redis://[::1]/0", "redis://[fe80::1%eth0]:6379/0", "redis://:s3cret@h/0", "redis://joe:a%2Fb@h:1/0"),
        *("rediss://h:65535/0?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required", "redis://h?db=3&password=a@b/?"),
        *("redis://h/0?decode_responses=true&protocol=3&socket_timeout=0.5&client_name=mx1", "unix:///run/redis.sock"),
        *("redis+sentinel://a/mx", "redis+sentinel://a,b.example:1,[::1]:26379/mx-1.a/3?socket_timeout=1"),
        *("redis+sentinel://joe:a%2Fb@a:1,b:2/mx/0", "redis+sentinel://a/mx/"),
        *("unix://:s3cret@/run/redis.sock?db=1", "unix://joe:s3cret@/run/a%20b", "redis://h/0?"),
    ],
)
def test_a_url_that_means_something(store: str) -> None:
    """As the library reads it."""
    assert is_url(store)
    assert flaw(store) is None


NO_KIND = "no such kind of store"
NO_HOST = "there is no host, or not one"
NO_PORT = "the port is no number from 1 to 65535"
NO_SOCKET = "the path of the socket must follow unix://, beginning with a slash"
NO_NAME = "the name of the server at the Sentinels must stand behind the hosts"
BLANKS = "blanks and control characters have no place there"
ESCAPES = "/, ?, # and @ of a password are written %2F, %3F, %23 and %40"
FLAWS = [
    *((store, NO_KIND) for store in ("http://h/", "redis:/h/0", "redis:h", "REDIS://h/0", "valkey://h/0", "s3://b/x")),
    *((store, NO_HOST) for store in ("redis://", "redis:///0", "redis://:6379/0", "redis://a,b/0", "redis://::1/0")),
    *((store, NO_HOST) for store in ("redis://:s3cret@", "redis://h%20i/0")),
    *(
        (store, NO_PORT)
        for store in ("redis://h:0/", "redis://h:65536/", "redis://h:/0", "redis://h:+1/", "redis://h:6x/")
    ),
    *((store, NO_PORT) for store in ("redis://joe:s3cret/0", "redis://h:1:2/0", "redis://h:123456/0")),
    *((store, NO_SOCKET) for store in ("unix://", "unix:///", "unix://run/redis.sock", "unix://:s3cret@?db=1")),
    *((store, BLANKS) for store in ("redis://h /0", "redis://h\n/0", "redis://h/0\t", "redis://h/0 ")),
    *((store, ESCAPES) for store in ("redis://:12/s3cret@h/0", "redis://u:12?s3cret@h/0", "redis://u:12#s3cret@h/0")),
    *((f"redis+sentinel://{places}/mx/0", NO_HOST) for places in ("", "a,", ",a", "a,,b", ":1")),
    *((f"redis+sentinel://{places}/mx", NO_PORT) for places in ("a:0", "a,b:65536", "joe:s3cret", "a:1:2")),
    *((f"redis+sentinel://a{path}", NO_NAME) for path in ("", "/", "//0", "/m%20x/0", "/" + 65 * "m")),
    ("redis+sentinel://a/mx/abc", "the database abc is no number"),
    ("redis+sentinel://a/mx/1/2", "the database is no number"),
    ("redis+sentinel://a/mx/1?db=1", "the database stands there twice"),
    ("redis+sentinel://a/mx?databse=1", "the option databse is not known"),
    ("redis+sentinel://:12/s3cret@a/mx/0", ESCAPES),
    ("redis+sentinel://a b/mx/0", BLANKS),
    ("redis://[::1/0", "there is no host, or not one"),
    ("redis://[::1]x/0", NO_HOST),
    ("redis://h/abc", "the database abc is no number"),
    ("redis://h/2x", "the database 2x is no number"),
    ("redis://h/-1", "the database -1 is no number"),
    ("redis://h/1/2", "the database is no number"),
    ("redis://h//2", "the database 2 is no number"),
    ("redis://h/1?db=1", "the database stands there twice"),
    ("redis://h?db=1&db=2", "the option db stands there twice"),
    ("redis://h?db=x", "the option db has no such value"),
    ("redis://h?db=", "the option db has no such value"),
    ("redis://h?db", "the option db has no such value"),
    ("unix:///run/redis.sock?db=x", "the option db has no such value"),
    ("redis://h/0?protocol=4", "the option protocol has no such value"),
    ("redis://h/0?socket_timeout=0", "the option socket_timeout has no such value"),
    ("redis://h/0?databse=1", "the option databse is not known"),
    ("redis://h/0?ssl_ca_certs=/x", "the option ssl_ca_certs is not known"),
    ("redis://h/0#1", "nothing may follow a #"),
]


@pytest.mark.parametrize(("store", "expected"), FLAWS)
def test_a_url_that_means_nothing(store: str, expected: str) -> None:
    """The word that is wrong, and never a password."""
    assert is_url(store)
    assert flaw(store) == expected


@given(st.text(max_size=20), st.text(":/?#@[]%&= ab12", max_size=20))
def test_any_text(start: str, rest: str) -> None:
    """It is a file, has a flaw, or can be shown; nothing else happens."""
    for store in (
        start + rest,
        "redis://" + start + rest,
        "unix://" + rest,
        "rediss://h" + rest,
        "redis+sentinel://a,b/" + rest,
    ):
        if is_url(store) and flaw(store) is None:
            assert shown(store).startswith(("redis://", "rediss://", "unix://", "redis+sentinel://"))


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("/var/lib/greylist/db", "/var/lib/greylist/db"),
        ("redis://mx.example.org:6380/3", "redis://mx.example.org:6380/3"),
        ("rediss://joe:s3cret@mx.example.org/0?password=s3cret", "rediss://mx.example.org/0"),
        ("unix://:s3cret@/run/redis.sock?db=1&password=s3cret", "unix:///run/redis.sock"),
        ("redis+sentinel://:s3cret@[::1]:1,b/mx/0?password=s3cret", "redis+sentinel://[::1]:1,b/mx/0"),
    ],
)
def test_what_the_log_shows_of_a_store(store: str, expected: str) -> None:
    """Never a password."""
    assert shown(store) == expected


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("redis://h/0", None),
        ("/var/lib/db", None),
        (
            "redis+sentinel://a,b.example:1,[::1]:5/mx/3?socket_timeout=1",
            Sentinels((("a", 26379), ("b.example", 1), ("::1", 5)), "mx", "redis://h/3?socket_timeout=1"),
        ),
        ("redis+sentinel://joe:a%2Fb@a/mx", Sentinels((("a", 26379),), "mx", "redis://joe:a%2Fb@h/")),
    ],
)
def test_whom_to_ask_for_the_server(store: str, expected: Sentinels | None) -> None:
    """All Sentinels with their ports; name and password are the server's."""
    assert flaw(store) is None or not is_url(store)
    assert sentinels(store) == expected


@pytest.mark.parametrize(
    ("place", "stores"),
    [
        ("redis://h:6380", ("redis://h:6380", "redis://h:6380/0", "redis://joe:s3cret@h:6380/2?socket_timeout=1")),
        ("rediss://[::1]", ("rediss://[::1]/", "rediss://:s3cret@[::1]/1?ssl_ca_certs=/etc/ca.pem")),
        ("unix:///run/redis.sock", ("unix:///run/redis.sock", "unix://joe:s3cret@/run/redis.sock?db=2")),
        ("redis+sentinel://a,b:1/mx", ("redis+sentinel://a,b:1/mx", "redis+sentinel://joe:s3cret@a,b:1/mx/3?db=1")),
        ("/var/lib/greylist/db", ("/var/lib/greylist/db",)),
    ],
)
def test_stores_at_one_place(place: str, stores: tuple[str, ...]) -> None:
    """Databases, users and options make no other of a server."""
    assert {server(store) for store in stores} == {place}
