"""Where records are kept: a file's path, or the URL of a Valkey or Redis server. Never opens either.

The library takes what it does not understand for nothing: of redis://h/abc it uses database 0.
"""

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

EXPECTED = (
    "redis://HOST:PORT/NUMBER, rediss://HOST:PORT/NUMBER, unix:///PATH?db=NUMBER or "
    "redis+sentinel://HOST:PORT,HOST:PORT/NAME/NUMBER"
)

_SCHEMES = ("redis://", "rediss://", "unix://")
_SENTINELS = "redis+sentinel://"
_LIKE_A_URL = re.compile(r"[a-z][a-z0-9+.-]*://|(rediss?|unix|valkeys?):", re.IGNORECASE)

_HOST = re.compile(r"[\w.-]+|\[[\da-fA-F:.]+(%[\w.-]+)?\]", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"(?=.*[1-9])[0-9]+(\.[0-9]+)?")
_TRUTH = re.compile(r"true|false|yes|no|[01]", re.IGNORECASE)
_ANYTHING = re.compile(r"(?s).+")

#: What may follow the question mark, and the form of each.
_OPTIONS = (
    {"db": _NUMBER, "protocol": re.compile("[23]"), "decode_responses": _TRUTH, "health_check_interval": _NUMBER}
    | {"max_connections": re.compile("[1-9][0-9]{0,8}")}
    | dict.fromkeys(("username", "password", "client_name"), _ANYTHING)
    | dict.fromkeys(("socket_timeout", "socket_connect_timeout", "timeout"), _SECONDS)
)
#: With rediss:// alone.
_TLS_OPTIONS = dict.fromkeys(("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"), _ANYTHING) | {
    "ssl_cert_reqs": re.compile("none|optional|required"),
    "ssl_check_hostname": _TRUTH,
}
#: What Sentinel has as the name of a server and its replicas (sentinel.c, sentinelCheckCreateInstance and its callers).
_NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
_SENTINEL_PORT = 26379
_UNESCAPED = "/, ?, # and @ of a password are written %2F, %3F, %23 and %40"
#: What may be repeated of a word that is wrong.
_PLAIN = re.compile(r"[\w.-]{1,32}", re.ASCII)


class Sentinels(NamedTuple):
    """Who is asked which server has the records now, as others may follow it.

    places: hosts and ports of Sentinels. name: that of the server and its replicas there. server: URL of it, in which
    the host means nothing.
    """

    places: tuple[tuple[str, int], ...]
    name: str
    server: str


def sentinels(store: str) -> Sentinels | None:
    """Find whom to ask for a store that has no flaw; None = it is where its URL says."""
    if not store.startswith(_SENTINELS):
        return None
    words = _of_sentinels(store)
    divided = [_divided(place) for place in words.places.split(",")]
    places = [(host.strip("[]"), int(port) if port else _SENTINEL_PORT) for host, _, port in divided]
    return Sentinels(tuple(places), words.name, words.server)


def is_url(store: str) -> bool:
    """Whether a store is a server, or was meant to be one, and no file."""
    return _LIKE_A_URL.match(store) is not None


def shown(store: str) -> str:
    """A store as the log may name it: of a URL neither the password nor the options."""
    if not is_url(store):
        return store
    if store.startswith(_SENTINELS):
        words = _of_sentinels(store)
        return f"{_SENTINELS}{words.places}/{words.path}"
    url = urlsplit(store)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def server(store: str) -> str:
    """Tell where a store is, whatever is kept there and whoever asks: a path, or of a URL kind, hosts and socket."""
    if not is_url(store):
        return store
    if store.startswith(_SENTINELS):
        words = _of_sentinels(store)
        return f"{_SENTINELS}{words.places}/{words.name}"
    url = urlsplit(store)
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}{url.path if url.scheme == 'unix' else ''}"


def place_flaw(store: str) -> str | None:
    """What is wrong with a file's path or a URL, behind the name of the option; None where it means something."""
    if not store:
        return "must name a file or a redis:// URL"
    wrong = flaw(store) if is_url(store) else None
    return wrong and f"is not {EXPECTED}: {wrong}"


def flaw(store: str) -> str | None:
    """What is wrong with a URL, with the word where it can be repeated; None where it means something."""
    if not store.startswith((*_SCHEMES, _SENTINELS)):
        return "no such kind of store"
    if not store.isprintable() or " " in store:
        return "blanks and control characters have no place there"
    if store.startswith(_SENTINELS):
        return _sentinels_flaw(_of_sentinels(store))
    try:
        url = urlsplit(store)
    except ValueError:
        return "there is no host, or not one"
    if "@" in url.path + url.fragment or "@" in url.query.partition("=")[0]:
        return _UNESCAPED
    place = _socket_flaw(url) if url.scheme == "unix" else _host_flaw(url) or _database_flaw(url)
    return place or ("nothing may follow a #" if "#" in store else None) or _options_flaw(url)


class _OfSentinels(NamedTuple):
    """The parts of a URL of Sentinels. path: all behind the places, without options."""

    places: str
    path: str
    name: str
    server: str


def _of_sentinels(store: str) -> _OfSentinels:
    rest, question, options = store.removeprefix(_SENTINELS).partition("?")
    authority, _, path = rest.partition("/")
    credentials, at, places = authority.rpartition("@")
    name, _, number = path.partition("/")
    return _OfSentinels(places, path, name, f"redis://{credentials}{at}h/{number}{question}{options}")


def _sentinels_flaw(words: _OfSentinels) -> str | None:
    if "@" in words.path:
        return _UNESCAPED
    found = next(filter(None, map(_place_of_host_flaw, words.places.split(","))), None) or flaw(words.server)
    if not found and not _NAME.fullmatch(words.name):
        return "the name of the server at the Sentinels must stand behind the hosts"
    return found


def _socket_flaw(url: SplitResult) -> str | None:
    """The path of a socket is absolute: what stands before it would be passed over as a host."""
    if url.netloc.rpartition("@")[2] or not url.path.strip("/"):
        return "the path of the socket must follow unix://, beginning with a slash"
    return None


def _host_flaw(url: SplitResult) -> str | None:
    return _place_of_host_flaw(url.netloc.rpartition("@")[2])


def _place_of_host_flaw(place: str) -> str | None:
    host, colon, port = _divided(place)
    if not _HOST.fullmatch(host):
        return "there is no host, or not one"
    if colon and not (_PORT.fullmatch(port) and 0 < int(port) < 65536):
        return "the port is no number from 1 to 65535"
    return None


def _divided(place: str) -> tuple[str, str, str]:
    """Host, colon and port; an IPv6 address has its colons within brackets."""
    bracket = place.find("]") + 1
    host, colon, port = place[bracket:].partition(":")
    return place[:bracket] + host, colon, port


def _database_flaw(url: SplitResult) -> str | None:
    number = url.path.strip("/")
    if number and (not _NUMBER.fullmatch(number) or url.path.startswith("//")):
        return f"the database{_quoted(number)} is no number"
    if number and "db" in dict(parse_qsl(url.query, keep_blank_values=True)):
        return "the database stands there twice"
    return None


def _options_flaw(url: SplitResult) -> str | None:
    known = _OPTIONS | _TLS_OPTIONS if url.scheme == "rediss" else _OPTIONS
    options = parse_qsl(url.query, keep_blank_values=True)
    for at, (name, value) in enumerate(options):
        if name not in known:
            return f"the option{_quoted(name)} is not known"
        if not known[name].fullmatch(value):
            return f"the option {name} has no such value"
        if name in dict(options[:at]):
            return f"the option {name} stands there twice"
    return None


def _quoted(word: str) -> str:
    return f" {word}" if _PLAIN.fullmatch(word) else ""
