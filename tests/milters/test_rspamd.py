"""Debian's rspamd by its own proxy at the gate: refused, greylisted, marked, sent elsewhere; what it knows of whom."""

import re
from collections.abc import Iterator

import pytest

from tests.milters.conftest import Start
from tests.support.milters.dkim import Key
from tests.support.milters.rspamd import GTUBE, Rspamd, rspamd
from tests.support.milters.site import BY_IPV6, FAR, OURS, REFUSED, SENDER, USER, Site, lines
from tests.support.redisserver import RedisServer

BODY = b"\r\na body\r\n..\r\n.dot\r\ntrailing blanks  \r\n"
#: What rspamd adds to every message, with who is logged in and the score.
AUTH, RESULT = (
    b"Authentication-Results: mx.example.org;\n\t%b\n",
    rb"X-Spamd-Result: default: False \[%b / 15\.00\][^\n]*\n(?:\t[^\n]*\n)*",
)
NONE, JOE = b"dkim=none", b"auth=pass smtp.auth=joe smtp.mailfrom=s@example.net"
#: Lets all that was greylisted be of long ago.
_AGE = """EVAL "for _, key in ipairs(redis.call('KEYS', 'rg*')) do redis.call('SET', key, '1') end return 1" 0"""


def head(subject: str) -> bytes:
    """Headers with a subject, and without an end."""
    return f"From: {SENDER}\r\nTo: {OURS}\r\nSubject: {subject}\r\nMessage-Id: <1@example.net>\r\n".encode()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Debian's."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The key of example.net."""
    return Key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def milter(redis: RedisServer, key: Key, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rspamd]:
    """Rspamd."""
    with rspamd(tmp_path_factory.mktemp("rspamd"), redis, key) as running:
        yield running


@pytest.fixture(scope="module")
def at(milter: Rspamd, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gate with it."""
    with start(tmp_path_factory.mktemp("site"), [milter.service]) as running:
        yield running


def check(text: bytes, subject: str, points: bytes, auth: bytes = NONE) -> None:
    """Check that a message is as it was, to the byte, but for its subject and what rspamd adds."""
    expected = re.escape(AUTH % auth + lines(head(subject)))
    assert re.fullmatch(expected + RESULT % re.escape(points) + re.escape(lines(BODY)), text), text


def without_signature(text: bytes) -> bytes:
    """What is below a signature at the top."""
    signature = re.match(rb"DKIM-Signature: v=1;[^\n]*\n(?:\t[^\n]*\n)+", text)
    assert signature, text
    return text[signature.end() :]


def test_gtube_is_refused(at: Site) -> None:
    """At the end of the message, which is kept nowhere; swaks has it on board."""
    assert at.refuses(head("gtube") + b"\r\n" + GTUBE + b"\r\n") == "554 5.7.1 Gtube pattern"

    code, said, kept = at.swaks("--body", GTUBE.decode())

    assert (code, kept) == (REFUSED, [])
    assert "<** 554 5.7.1 Gtube pattern" in said


def test_what_is_no_spam_passes(at: Site) -> None:
    """And a stranger's own mark of spam is taken out."""
    check(at.takes(head("hello") + b"X-Spam: Yes\r\n" + BODY), "hello", b"0.00")


@pytest.mark.parametrize("more", [b"", b"X-Spam: No\r\n"])
def test_a_score_adds_a_header(at: Site, more: bytes) -> None:
    """It stands where a stranger has put one of its own, too."""
    text = at.takes(head("seven points") + more + BODY)

    assert text.count(b"\nX-Spam: Yes\n") == text.count(b"X-Spam:") == 1
    check(text.replace(b"X-Spam: Yes\n", b""), "seven points", b"7.00")


def test_a_higher_score_rewrites_the_subject(at: Site) -> None:
    """In its place."""
    check(at.takes(head("nine points") + BODY), "*** SPAM *** nine points", b"9.00")


def test_greylisting_is_a_refusal_for_now(at: Site, redis: RedisServer) -> None:
    """The same message passes later; one of a user passes at once."""
    redis.empty()
    grey = head("five points") + BODY

    assert at.refuses(grey) == at.refuses(grey) == "451 4.7.1 Try again later"
    check(without_signature(at.takes(grey, logged_in=True)), "five points", b"5.00", JOE)
    assert redis.ask(_AGE) == b":1"
    check(at.takes(grey), "five points", b"5.00")


def test_who_is_logged_in_is_signed_for(at: Site, key: Key) -> None:
    """By rspamd's own module; the signature is good for another program."""
    text = at.takes(head("signed") + BODY, logged_in=True)

    check(without_signature(text), "signed", b"0.00", JOE)
    assert key.verifies(text)
    assert not key.verifies(text.replace(b"a body", b"another body"))


def test_who_throws_away_tells_nobody(at: Site) -> None:
    """The client hears that it is taken."""
    assert at.refuses(head("throw away") + BODY) == "250 2.0.0 Ok: discarded"


def test_nothing_is_held_back(at: Site) -> None:
    """A gate has no queue for that."""
    refusal = at.refuses(head("hold back") + BODY)
    assert refusal == "550 5.7.1 A filter wants the message to be held, and it cannot be held here"


def test_another_envelope(at: Site) -> None:
    """The backend hears of another sender, and of one recipient instead of another one."""
    code, _, kept = at.sends(head("go elsewhere") + BODY)

    assert code == 250
    assert [message[:2] for message in kept] == [(b"other@example.net", (b"two@example.org",))]
    check(kept[0].text, "go elsewhere", b"0.00")


def test_what_it_knows_of_a_stranger(at: Site, milter: Rspamd) -> None:
    """The address and its verified name, the greeting, the envelope, and the id that our log has."""
    at.takes(head("a stranger") + BODY)

    seen = milter.seen()[-1]
    assert seen.pop("queue_id").encode().partition(b".")[0] in at.gate.log_file.read_bytes()
    assert seen == {
        "ip": "192.0.2.7",
        "name": "c.example.net",
        "helo": "client.example",
        "mta": "mx.example.org",
        "sender": SENDER,
        "recipients": [OURS],
        "subject": "a stranger",
    }


def test_what_it_knows_of_a_stranger_by_ipv6(at: Site, milter: Rspamd) -> None:
    """Who has no name."""
    assert at.sends(head("by IPv6") + BODY, source=BY_IPV6)[0] == 250

    seen = milter.seen()[-1]
    assert seen["ip"] == "2001:db8::7"
    assert "name" not in seen


def test_what_it_knows_of_a_user(at: Site, milter: Rspamd) -> None:
    """Who it is, and what TLS it speaks."""
    at.takes(head("a user") + BODY, logged_in=True)

    seen = milter.seen()[-1]
    assert seen["user"] == USER
    assert seen["recipients"] == [FAR]
    assert seen["tls"] == "TLSv1.3"
    assert seen["cipher"].startswith("TLS_")


def test_who_comes_next_is_nobody_of_before(at: Site, milter: Rspamd) -> None:
    """Behind a user who has left in the midst of a message."""
    at.leaves(logged_in=True)
    at.takes(head("next") + BODY)

    seen = milter.seen()[-1]
    assert {"user", "tls", "cipher"}.isdisjoint(seen)
    assert (seen["sender"], seen["recipients"], seen["name"]) == (SENDER, [OURS], "c.example.net")
