"""Whose word counts for a login, and what is said on the recorder's socket. No socket is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.ledger.address import address
from ucspi_py.core.ledger.grant import How
from ucspi_py.core.ledger.recorder import loglines, ticket
from ucspi_py.core.ledger.recorder import request as requests
from ucspi_py.core.ledger.recorder.proof import Asker, Connected, Proven, judge
from ucspi_py.core.ledger.recorder.request import Reply, Request, Standing
from ucspi_py.core.ledger.recorder.settings import RecorderSettings
from ucspi_py.core.ledger.recorder.ticket import Place

NOW = 1_800_000_000
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
USER, HOOK = 1001, 97
SETTINGS = RecorderSettings("socket", trusted=frozenset({HOOK}), key=KEY)
CLIENT = Connected(b"203.0.113.7", 110, is_of_this_network=True, is_established=True)
FORGED = Request(b"198.51.100.9", b"joe", b"", 900)


def proven(ip: bytes, uid: int = USER) -> Proven:
    """A login of joe's from there."""
    return Proven(address(ip), b"joe", How.POP3, uid, 900)


def ticketed(place: Place, now: int = NOW, key: bytes = KEY) -> Request:
    """A request with a ticket, and with an address that is a lie."""
    return FORGED._replace(ticket=ticket.issued(key, place, now))


def test_a_user_grants_the_address_of_the_socket_and_not_of_the_words() -> None:
    """ops 9, 11: $TCPREMOTEIP is whatever the user says."""
    assert judge(FORGED, Asker(USER, CLIENT), SETTINGS, NOW) == proven(b"203.0.113.7")


@pytest.mark.parametrize("uid", [HOOK, 0])
def test_the_word_of_a_trusted_user_counts(uid: int) -> None:
    """Dovecot's hook knows the client behind a proxy, whose socket it has."""
    login = judge(FORGED, Asker(uid, CLIENT), SETTINGS, NOW)

    assert login == proven(b"198.51.100.9", uid)


def test_a_trusted_user_without_a_word_has_the_socket() -> None:
    """As everybody."""
    login = judge(FORGED._replace(address=b""), Asker(HOOK, CLIENT), SETTINGS, NOW)

    assert login == proven(b"203.0.113.7", HOOK)


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (None, "descriptor 0 is no client's socket, there is no ticket, and uid 1001 is not one of --trust"),
        (CLIENT._replace(local_port=40001), "port 40001 is not one of --ports"),
        (CLIENT._replace(is_of_this_network=False), "the client's socket is of another network namespace"),
        (CLIENT._replace(is_established=False), "the client is gone"),
    ],
)
def test_what_a_user_can_make_himself_proves_nothing(client: Connected | None, reason: str) -> None:
    """No socket, one of his own, one of a network of his own, one that he has kept."""
    assert judge(FORGED, Asker(USER, client), SETTINGS, NOW) == reason


def test_a_ticket_stands_in_for_the_socket() -> None:
    """Behind TLS descriptor 0 is a socketpair, behind a proxy it is the proxy's: the ticket comes first."""
    request = ticketed(Place(b"2001:db8::7", 995))

    expected = proven(b"2001:db8::7")
    assert judge(request, Asker(USER, None), SETTINGS, NOW) == expected
    assert judge(request, Asker(USER, CLIENT), SETTINGS, NOW) == expected


@pytest.mark.parametrize("age", [-300, 0, 1800])
def test_a_ticket_counts_for_as_long_as_a_login_may_take(age: int) -> None:
    """Also where the clock was set back."""
    assert ticket.place_of(KEY, ticket.issued(KEY, Place(b"192.0.2.1", 110), NOW), NOW + age)


@pytest.mark.parametrize("age", [-301, 1801])
def test_a_ticket_grows_old(age: int) -> None:
    """Whoever keeps one cannot grant for ever what is somebody else's address by then."""
    request = ticketed(Place(b"203.0.113.7", 995))

    assert judge(request, Asker(USER, CLIENT), SETTINGS, NOW + age) == "the ticket is not of this key, or too old"


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_ticket_that_was_changed_is_none(at: int, flip: int) -> None:
    """In any byte."""
    changed = bytearray(ticket.issued(KEY, Place(b"203.0.113.7", 995), NOW))
    changed[at % len(changed)] ^= flip

    assert ticket.place_of(KEY, bytes(changed), NOW) is None


@given(st.binary(max_size=200))
def test_anything_else_is_no_ticket(text: bytes) -> None:
    """Nor does it do any harm."""
    assert ticket.place_of(KEY, text, NOW) is None


def test_a_ticket_of_another_key_or_without_a_key_is_refused() -> None:
    """And the socket is not looked at: it may be a proxy's."""
    assert judge(ticketed(Place(b"203.0.113.7", 995), key=OTHER_KEY), Asker(USER, CLIENT), SETTINGS, NOW) == (
        "the ticket is not of this key, or too old"
    )
    assert judge(ticketed(Place(b"203.0.113.7", 995)), Asker(USER, CLIENT), RecorderSettings("socket"), NOW) == (
        "there is a ticket, and no --key to check it"
    )


def test_a_ticket_of_another_service_grants_nothing() -> None:
    """A client of port 25 has not logged in."""
    assert judge(ticketed(Place(b"203.0.113.7", 25)), Asker(USER, None), SETTINGS, NOW) == (
        "port 25 is not one of --ports"
    )


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (b"::ffff:192.0.2.1", b"192.0.2.1"),
        (b"2001:DB8:0:0::1", b"2001:db8::1"),
        (b"fe80::1%eth0", b"fe80::1"),
        (b"192.0.2.1", b"192.0.2.1"),
    ],
)
def test_an_address_has_one_form(written: bytes, canonical: bytes) -> None:
    """ops 9, 9; Courier writes ::ffff: before IPv4."""
    login = judge(FORGED._replace(address=written), Asker(HOOK, None), SETTINGS, NOW)

    assert isinstance(login, Proven)
    assert str(login.address).encode() == canonical


@pytest.mark.parametrize("word", [b"localhost", b"192.0.2", b"192.0.2.1 ", b"1::2::3", b"\xff", b"::ffff:192.0.2.1/24"])
def test_a_word_that_is_no_address_grants_nothing(word: bytes) -> None:
    """Whoever is trusted may still be wrong."""
    assert judge(FORGED._replace(address=word), Asker(HOOK, None), SETTINGS, NOW) == "it is no address"


@pytest.mark.parametrize(("seconds", "is_granted"), [(0, False), (1, True), (86400, True), (86401, False)])
def test_nobody_grants_himself_a_year(seconds: int, is_granted: bool) -> None:
    """A chain program is run by the user."""
    login = judge(FORGED._replace(seconds=seconds), Asker(USER, CLIENT), SETTINGS, NOW)

    assert isinstance(login, Proven) == is_granted


@pytest.mark.parametrize(
    ("port", "said", "how"),
    [(143, b"", How.IMAP), (993, b"pop3", How.IMAP), (11110, b"pop3", How.POP3), (11110, b"hand", How.LOGIN)],
)
def test_how_somebody_has_logged_in(port: int, said: bytes, how: How) -> None:
    """By the port, else by the program behind, else nobody knows."""
    settings = RecorderSettings("socket", ports=(143, 993, 11110))

    login = judge(FORGED._replace(protocol=said), Asker(USER, CLIENT._replace(local_port=port)), settings, NOW)

    assert isinstance(login, Proven)
    assert login.how == how


def test_who_has_no_name_goes_by_his_number() -> None:
    """Several users of one address stay several."""
    login = judge(FORGED._replace(user=b""), Asker(USER, CLIENT), SETTINGS, NOW)

    assert isinstance(login, Proven)
    assert login.user == b"uid 1001"


_FIELD = st.binary(max_size=64).filter(lambda field: not any(byte < 32 or byte == 127 for byte in field))
REQUESTS = st.builds(Request, _FIELD, _FIELD, _FIELD.map(lambda field: field[:16]), st.integers(0, 10**9 - 1), _FIELD)


@given(REQUESTS)
def test_a_request_is_read_as_it_was_written(request_: Request) -> None:
    """Within one packet."""
    packet = requests.packed(request_)

    assert requests.parsed(packet) == request_
    assert len(packet) <= requests.LIMIT


@given(st.binary(max_size=80) | st.lists(st.binary(max_size=20), min_size=4, max_size=6).map(b"\0".join))
def test_no_packet_does_harm(packet: bytes) -> None:
    """It is a request, or ValueError."""
    for candidate in (packet, b"1" + packet + b"\0"):
        try:
            found = requests.parsed(candidate)
        except ValueError:
            continue
        assert requests.parsed(requests.packed(found)) == found


@pytest.mark.parametrize(
    "wrong",
    [
        Request(b"a" * 65, b"", b"", 1),
        Request(b"", b"u" * 256, b"", 1),
        Request(b"", b"joe\n", b"", 1),
        Request(b"", b"joe\0", b"", 1),
        Request(b"", b"", b"", 10**9),
        Request(b"", b"", b"", -1, b"t" * 129),
    ],
)
def test_what_is_too_long_is_not_said(wrong: Request) -> None:
    """Nor what would be two lines of a log."""
    with pytest.raises(ValueError, match="too long"):
        requests.packed(wrong)


@pytest.mark.parametrize("packet", [b"", b"2a\0b\0c\0001\0d\0", b"1a\0b\0c\0001\0", b"1a\0b\0c\0-1\0d\0", b"1" * 1025])
def test_what_is_no_request(packet: bytes) -> None:
    """Of another version, too short, with a number that is none, too long."""
    with pytest.raises(ValueError, match="request"):
        requests.parsed(packet)


@pytest.mark.parametrize("standing", list(Standing))
def test_an_answer_is_read_as_it_was_written(standing: Standing) -> None:
    """Its text is cut where it is too long."""
    assert requests.understood(requests.answer(Reply(standing, "why " * 100))) == Reply(standing, "why " * 50)


def test_a_ticket_fits_into_a_request() -> None:
    """With the longest address and port that there are."""
    longest = ticketed(Place(b"2001:db8:1111:2222:3333:4444:5555:6666", 65535))

    assert requests.parsed(requests.packed(longest)) == longest


def test_a_line_of_the_log_cannot_be_forged() -> None:
    """User and reason are whatever somebody says."""
    login = proven(b"192.0.2.1")._replace(user=b"joe: granted\nrelay:")

    assert loglines.granted(login, "192.0.2.1", 1) == (
        b"relay: granted 192.0.2.1 to joe??granted?relay? by pop3 for 900 seconds, says uid 1001\n"
    )
    assert loglines.refused(USER, b"a b", "why\nnot") == b"relay: no grant to a?b, says uid 1001: why?not\n"
    assert loglines.not_recorded("no\nway") == "relay: warning: login not recorded: no?way"


def test_an_address_of_many_users_is_named() -> None:
    """Whoever runs the server may want to know which NAT that is."""
    many = b", one of 11 users: whose address is that?\n"

    assert loglines.granted(proven(b"192.0.2.1"), "192.0.2.1", 11).endswith(many)
    assert not loglines.granted(proven(b"192.0.2.1"), "192.0.2.1", 10).endswith(many)
