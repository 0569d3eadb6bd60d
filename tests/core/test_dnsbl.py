"""The interview with the zones."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.dns.message import Absent, Answer, Failed, Found
from ucspi_py.core.dnsbl.answers import CLEAN, Clean, Failing, Finding, Listed, after_address, after_text, query, word
from ucspi_py.core.dnsbl.judgement import judge, score_of
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.dnsbl.zone import Zone, parse
from ucspi_py.core.smtp.verdict import Accept, Refuse, Verdict

IP = b"192.0.2.7"
CODE = b"\x7f\0\0\2"
LISTED = Listed(b"listed", CODE)
FAILED = Failing("timed out")
ERROR = Failing("answers 127.255.255.254, which is an error and lists nobody", answered=True)
LOOKUP_ERROR = Refuse(451, b"temporary RBL lookup error")
VOUCHED = Accept(vouched=True)

ADDRESS = Found((CODE,))
NOTHING, NO_ADDRESS = Absent(), Absent(exists=True)
SILENCE = Failed("timed out")


def zone(words: str) -> Zone:
    """``r`` or ``a``, ``b`` and ``c`` where these options stood before it, and after a blank what is written of it."""
    flags, _, rest = words.partition(" ")
    name = rest if rest and rest[0] not in "+=*:" else "zone.example" + rest
    return parse(name, allow="a" in flags, bounce="b" in flags, fail_closed="c" in flags)


def screen(
    zones: Sequence[Zone], scores: tuple[int | None, int | None] = (None, None), greet: float = 0
) -> DnsblSettings:
    """A screen with these zones and -T scores."""
    return DnsblSettings(tuple(zones), 60, 5.0, scores[0], scores[1], greet)


def found(*addresses: str) -> Found:
    """A records."""
    return Found(tuple(bytes(map(int, address.split("."))) for address in addresses))


QUESTIONS = [
    ("r", b"127.0.0.2", False, b"2.0.0.127.zone.example"),
    ("a", b"192.0.2.7", False, b"7.2.0.192.zone.example"),
    ("r", b"", False, None),
    ("r", b"", True, None),
    ("r", b"10.0.0.1", False, None),
    ("r", b"10.0.0.1", True, b"1.0.0.10.zone.example"),
    ("r", b"172.31.255.255", False, None),
    ("r", b"172.32.0.0", False, b"0.0.32.172.zone.example"),
    ("r", b"192.168.1.1", False, None),
    ("r", b"169.254.1.1", False, None),
    ("r", b"100.127.255.255", False, None),
    ("r", b"100.128.0.0", False, b"0.0.128.100.zone.example"),
    ("r", b"2001:db8::1", False, None),
    ("r +v6", b"2001:db8::1", False, b"1." + b"0." * 23 + b"8.b.d.0.1.0.0.2.zone.example"),
    ("r +v6", b"fe80::1", False, None),
    ("r +v6", b"fd00::1", False, None),
    ("r +v6", b"fd00::1", True, b"1." + b"0." * 29 + b"d.f.zone.example"),
    ("r +v6", b"::gg", True, None),
]

#: What an A answer means before the TXT record is asked for; None = it has to be asked for.
ASKS_TOO_MUCH = Failing("answers 127.0.0.255, which is an error and lists nobody", True)

ADDRESSES: list[tuple[str, Answer, Finding | None]] = [
    ("r", NOTHING, CLEAN),
    ("r", NO_ADDRESS, None),
    ("r", ADDRESS, None),
    ("r", found("127.1.2.3"), None),
    ("r", SILENCE, FAILED),
    ("r", found("127.255.255.254"), ERROR),
    ("r", found("127.255.255.0"), Failing("answers 127.255.255.0, which is an error and lists nobody", True)),
    ("r", found("127.0.0.1"), Failing("answers 127.0.0.1, which is an error and lists nobody", True)),
    ("r", found("203.0.113.9"), Failing("answers 203.0.113.9, which is an error and lists nobody", True)),
    ("r", found("128.0.0.2"), Failing("answers 128.0.0.2, which is an error and lists nobody", True)),
    ("r", found("127.0.0.2", "127.255.255.254"), ERROR),
    ("r", found("127.255.254.255"), None),
    ("r", found("127.0.0.255"), None),
    ("a", found("127.0.0.255"), ASKS_TOO_MUCH),
    ("r =127.0.[0..255].[0..255]*-1", found("127.0.0.255"), ASKS_TOO_MUCH),
    ("a", NOTHING, CLEAN),
    ("a", NO_ADDRESS, CLEAN),
    ("a", ADDRESS, Listed(b"", CODE)),
    ("a", SILENCE, FAILED),
    ("a", found("127.255.255.254"), ERROR),
    ("a =127.0.[3..5].[1..3]", found("127.0.5.2"), Listed(b"", b"\x7f\0\5\2")),
    ("a =127.0.[3..5].[1..3]", found("127.0.0.255"), ASKS_TOO_MUCH),
    ("r =127.0.0.[2..11;40]", found("127.0.0.11"), None),
    ("r =127.0.0.[2..11;40]", found("127.0.0.12"), CLEAN),
    ("r =127.0.0.[2..11;40]", found("127.0.0.12", "127.0.0.40"), None),
    (
        "r =127.0.0.[2..11;40]",
        found("127.255.255.2"),
        Failing("answers 127.255.255.2, which is an error and lists nobody", True),
    ),
    ("r =127.0.0.[2..11;40]", found("127.0.0.1"), CLEAN),
    ("rbc +notest=127.0.0.2", found("127.0.0.1"), CLEAN),
    ("r =127.0.0.[2..11;40]", found("127.0.0.1", "127.0.0.3"), None),
    ("r =127.0.0.1", found("127.0.0.1"), None),
    ("r =127.0.0.[1..11]", found("127.0.0.1"), None),
    ("a =127.0.0.1", found("127.0.0.1"), Listed(b"", b"\x7f\0\0\1")),
    ("a =127.0.0.2", found("127.0.0.1"), CLEAN),
    ("a", found("127.0.0.1"), Failing("answers 127.0.0.1, which is an error and lists nobody", True)),
    ("r :see %IP%", found("127.0.0.1"), Failing("answers 127.0.0.1, which is an error and lists nobody", True)),
    ("r =127.0.0.1", found("203.0.113.9"), Failing("answers 203.0.113.9, which is an error and lists nobody", True)),
    ("r =127.0.0.1", found("127.255.255.254"), ERROR),
    ("a =127.0.[3..5].[1..3]", found("127.0.9.9", "127.0.5.2"), Listed(b"", b"\x7f\0\5\2")),
    ("r =127.0.0.2", NO_ADDRESS, CLEAN),
    ("r :see %IP%", NO_ADDRESS, CLEAN),
    ("r :see %IP%", ADDRESS, None),
    ("r *3", NO_ADDRESS, None),
]

TEXT = Found((b"foo", b"bar", b"baz"))

TEXTS: list[tuple[str, Answer, Answer, Finding]] = [
    ("r", ADDRESS, Found((b"listed",)), LISTED),
    ("r", ADDRESS, TEXT, Listed(b"foobarbaz", CODE)),
    ("r", ADDRESS, NOTHING, CLEAN),
    ("r", ADDRESS, Found((b"", b"")), CLEAN),
    ("r", ADDRESS, SILENCE, FAILED),
    ("r", NO_ADDRESS, Found((b"listed",)), Listed(b"listed", b"")),
    ("r", NO_ADDRESS, NO_ADDRESS, CLEAN),
    ("r", NO_ADDRESS, SILENCE, FAILED),
    ("r =127.0.0.2", ADDRESS, TEXT, Listed(b"foobarbaz", CODE)),
    ("r =127.0.0.2", ADDRESS, NOTHING, Listed(b"192.0.2.7 is listed in zone.example", CODE)),
    ("r =127.0.0.2", ADDRESS, SILENCE, Listed(b"192.0.2.7 is listed in zone.example", CODE)),
    (
        "r =127.0.0.40",
        found("127.0.0.2", "127.0.0.40"),
        NOTHING,
        Listed(b"192.0.2.7 is listed in zone.example", b"\x7f\0\0\x28"),
    ),
    ("r :see http://x/?%IP% (%IP%)", ADDRESS, NOTHING, Listed(b"see http://x/?192.0.2.7 (192.0.2.7)", CODE)),
    ("r :see http://x/?%IP%", ADDRESS, TEXT, Listed(b"foobarbaz", CODE)),
    ("r short@key.zone=127.0.0.2", ADDRESS, NOTHING, Listed(b"192.0.2.7 is listed in short", CODE)),
    ("r short@key.zone", ADDRESS, Found((b"see Key.Zone.",)), Listed(b"see short.", CODE)),
    ("r", ADDRESS, Found((b"x" * 150, b"y" * 60_000)), Listed(b"x" * 150 + b"y" * 50, CODE)),
    ("r :" + "z" * 300, ADDRESS, NOTHING, Listed(b"z" * 200, CODE)),
    ("r key.zone", ADDRESS, Found((b"see key.zone",)), Listed(b"see key.zone", CODE)),
]

VERDICTS: list[tuple[str, list[Finding | None], Verdict | None]] = [
    ("", [], Accept()),
    ("r", [CLEAN], Accept()),
    ("r", [LISTED], Refuse(451, b"listed")),
    ("rb", [LISTED], Refuse(553, b"listed")),
    ("r", [FAILED], Accept()),
    ("rc", [FAILED], LOOKUP_ERROR),
    ("rbc", [FAILED], LOOKUP_ERROR),
    ("rc", [ERROR], LOOKUP_ERROR),
    ("a", [LISTED], VOUCHED),
    ("a", [FAILED], VOUCHED),
    ("a", [ERROR], Accept()),
    ("a rb", [CLEAN, LISTED], Refuse(553, b"listed")),
    ("a rb", [LISTED, LISTED], VOUCHED),
    ("a rb", [FAILED, LISTED], VOUCHED),
    ("a rb", [ERROR, LISTED], Refuse(451, b"listed")),
    ("ac rb", [FAILED, LISTED], Refuse(451, b"listed")),
    ("ac r", [FAILED, CLEAN], Accept()),
    ("r rb", [FAILED, LISTED], Refuse(451, b"listed")),
    ("r rb", [ERROR, LISTED], Refuse(451, b"listed")),
    ("r a", [LISTED, LISTED], Refuse(451, b"listed")),
    ("r rc", [LISTED, FAILED], Refuse(451, b"listed")),
    ("r r", [None, LISTED], None),
    ("r r", [CLEAN, None], None),
    ("r r", [LISTED, None], Refuse(451, b"listed")),
    ("a r", [LISTED, None], VOUCHED),
    ("a r", [ERROR, None], None),
    ("rc r", [FAILED, None], LOOKUP_ERROR),
]

HEAVY = Listed(b"heavy", CODE)

WEIGHTS: list[tuple[list[str], tuple[int, int | None], list[Finding | None], Verdict | None]] = [
    (["r", "r"], (1, None), [CLEAN, LISTED], Refuse(451, b"listed")),
    (["r", "r"], (2, None), [CLEAN, LISTED], Accept()),
    (["r", "r"], (2, None), [LISTED, LISTED], Refuse(451, b"listed")),
    (["r *2", "r *3"], (3, 5), [LISTED, HEAVY], Refuse(553, b"heavy")),
    (["r *2", "r *3"], (3, 5), [LISTED, CLEAN], Accept()),
    (["r *2", "r *3"], (3, 5), [CLEAN, HEAVY], Refuse(451, b"heavy")),
    (["r *5", "r"], (3, 5), [HEAVY, FAILED], Refuse(451, b"heavy")),
    (["rb *5"], (5, None), [HEAVY], Refuse(451, b"heavy")),
    (["r *3", "a *-2"], (2, None), [LISTED, LISTED], Accept()),
    (["r *3", "r *-2"], (2, None), [LISTED, LISTED], Accept()),
    (["r *3", "a *-2"], (2, None), [LISTED, FAILED], Refuse(451, b"listed")),
    (["r *9", "a"], (2, None), [LISTED, LISTED], VOUCHED),
    (["r *9", "a"], (2, None), [LISTED, FAILED], Refuse(451, b"listed")),
    (["r *9", "a"], (2, None), [LISTED, ERROR], Refuse(451, b"listed")),
    (["r *9", "a"], (2, None), [None, LISTED], VOUCHED),
    (["rc *2", "r"], (2, None), [FAILED, LISTED], LOOKUP_ERROR),
    (["rc", "r *2"], (2, None), [FAILED, HEAVY], Refuse(451, b"heavy")),
    # What is still out:
    (["r", "r"], (2, None), [CLEAN, None], Accept()),
    (["r", "r"], (1, None), [CLEAN, None], None),
    (["r", "r"], (1, None), [LISTED, None], Refuse(451, b"listed")),
    (["r *3", "a *-2"], (2, None), [LISTED, None], None),
    (["r *3", "a *-2"], (4, None), [LISTED, None], Accept()),
    (["r *4", "a *-2"], (2, None), [HEAVY, None], Refuse(451, b"heavy")),
    (["r *9", "a"], (2, None), [LISTED, None], None),
    (["r *5", "r"], (3, 5), [HEAVY, None], None),
    (["r", "rc"], (2, None), [CLEAN, None], None),
    (["rc", "a"], (2, None), [FAILED, None], None),
    (["rc", "rc"], (2, None), [CLEAN, CLEAN], Accept()),
]

#: A and TXT answers of zones that do not lie.
WORLDS = [
    (NOTHING, NOTHING),
    (ADDRESS, TEXT),
    (ADDRESS, NO_ADDRESS),
    (ADDRESS, Found((b"",))),
    (NO_ADDRESS, TEXT),
    (SILENCE, SILENCE),
    (ADDRESS, SILENCE),
]

flags = st.sampled_from(["r", "rb", "rc", "rbc", "a", "ac"])
findings = st.sampled_from([CLEAN, LISTED, FAILED, ERROR, Listed(b"other", b"")])
interviews = st.lists(st.tuples(flags, findings), max_size=5)

weights = st.none() | st.integers(-4, 4)
weighed = st.lists(st.tuples(flags, weights, findings), max_size=5)
scores = st.integers(1, 6).flatmap(lambda least: st.tuples(st.just(least), st.none() | st.integers(least, 9)))


@pytest.mark.parametrize(("words", "ip", "private", "expected"), QUESTIONS, ids=repr)
def test_a_question(words: str, ip: bytes, private: bool, expected: bytes | None) -> None:
    """Nothing without an address, about private ones only where that is wanted, about IPv6 where it is known."""
    assert query(zone(words), ip, ask_private=private) == expected


@pytest.mark.parametrize(("words", "answer", "expected"), ADDRESSES, ids=repr)
def test_what_an_address_means(words: str, answer: Answer, expected: Finding | None) -> None:
    """Only 127.0.0.0/8 lists, and of it neither 127.0.0.1 nor the network of errors."""
    assert after_address(zone(words), answer) == expected


@pytest.mark.parametrize(("words", "address", "text", "expected"), TEXTS, ids=repr)
def test_what_address_and_text_mean(words: str, address: Answer, text: Answer, expected: Finding) -> None:
    """Without codes a text lists, with them it only says why; a hidden name stays hidden; 200 bytes are kept."""
    assert after_text(zone(words), IP, address, text) == expected


@given(st.binary(min_size=4, max_size=4), st.sampled_from(["r", "a", "r =127.0.[0..255].[0..255]", "r :text", "r *3"]))
def test_no_error_is_ever_a_listing(address: bytes, words: str) -> None:
    """Outside 127.0.0.0/8, 127.255.255.0/24, and without codes 127.0.0.1: whatever the zone, whatever its text says."""
    is_error = address[0] != 127 or address[:3] == b"\x7f\xff\xff"
    is_error = is_error or (address == b"\x7f\0\0\1" and "=" not in words)
    is_error = is_error or (words == "a" and address == b"\x7f\0\0\xff")

    finding = after_address(zone(words), Found((CODE, address)))

    assert isinstance(finding, Failing) == is_error


def test_a_key_at_the_200th_byte_stays_hidden() -> None:
    """The zone's name is taken out before the text is cut, so that no half of it is left."""
    heard = after_text(zone("r s@key.zone"), IP, ADDRESS, Found((b"x" * 195 + b"key.zone",)))

    assert heard == Listed(b"x" * 195 + b"s", CODE)


@pytest.mark.parametrize(
    ("zones", "heard", "expected"), VERDICTS, ids=[f"{zones}: {heard}" for zones, heard, _ in VERDICTS]
)
def test_a_verdict(zones: str, heard: list[Finding | None], expected: Verdict | None) -> None:
    """The first word in written order decides; a zone that failed forbids a later 553."""
    assert judge(screen([zone(flags) for flags in zones.split()]), heard) == expected


@pytest.mark.parametrize(("zones", "limits", "heard", "expected"), WEIGHTS, ids=repr)
def test_a_verdict_by_weight(
    zones: list[str], limits: tuple[int, int | None], heard: list[Finding | None], expected: Verdict | None
) -> None:
    """Sums of weights, in any order; who fails weighs nothing, and who might still matter is waited for."""
    assert judge(screen([zone(words) for words in zones], limits), heard) == expected


def test_a_client_is_watched_until_an_allow_list_speaks_for_it() -> None:
    """With -w the answer of an allow-list matters to clients that are welcome too: they need not wait."""
    zones = [zone("r"), zone("a")]

    assert judge(screen(zones, (2, None)), [CLEAN, None]) == Accept()
    assert judge(screen(zones, (2, None), greet=3), [CLEAN, None]) is None
    assert judge(screen(zones, (2, None), greet=3), [CLEAN, LISTED]) == VOUCHED


@given(interviews)
def test_the_verdict_is_that_of_asking_one_after_the_other(query_all: list[tuple[str, Finding]]) -> None:
    """Asked at once and judged in order: the same as C, which waits for each zone."""
    zones = [zone(flags) for flags, _ in query_all]

    assert judge(screen(zones), [finding for _, finding in query_all]) == in_series(query_all)


@given(st.lists(st.tuples(flags, st.sampled_from(WORLDS)), max_size=5))
def test_the_interview_is_that_of_c(query_all: list[tuple[str, tuple[Answer, Answer]]]) -> None:
    """A first and TXT where it is needed: of zones that do not lie the verdict of C, which asks for one of them."""
    zones = [zone(flags) for flags, _ in query_all]
    heard = []
    for asked, (address, text) in zip(zones, (world for _, world in query_all), strict=True):
        finding = after_address(asked, address)
        heard.append(after_text(asked, IP, address, text) if finding is None else finding)

    assert judge(screen(zones), heard) == as_c_asks(query_all)


@given(interviews, st.data())
def test_an_early_verdict_is_the_last_one(query_all: list[tuple[str, Finding]], data: st.DataObject) -> None:
    """Whatever is still to come changes nothing once there is a verdict."""
    settings = screen([zone(flags) for flags, _ in query_all])
    everything = [finding for _, finding in query_all]
    heard = [finding if data.draw(st.booleans()) else None for finding in everything]

    assert judge(settings, heard) in (None, judge(settings, everything))


@given(weighed, scores, st.booleans(), st.data())
def test_an_early_verdict_by_weight_is_the_last_one(
    query_all: list[tuple[str, int | None, Finding]], limits: tuple[int, int | None], greet: bool, data: st.DataObject
) -> None:
    """But for the words of the refusal: those of a heavier zone may come too late."""
    settings = screen(weigh(query_all), limits, greet=float(greet))
    everything = [finding for _, _, finding in query_all]
    heard = [finding if data.draw(st.booleans()) else None for finding in everything]

    early, last = judge(settings, heard), judge(settings, everything)

    assert last is not None
    assert early is None or outcome(early, greet) == outcome(last, greet)


@given(weighed, scores, st.randoms())
def test_the_order_of_weights_does_not_matter(
    query_all: list[tuple[str, int | None, Finding]], limits: tuple[int, int | None], chance: object
) -> None:
    """The same sum and the same verdict however the zones are written down."""
    shuffled = list(query_all)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    sums, verdicts = [], []
    for order in (query_all, shuffled):
        heard = [finding for _, _, finding in order]
        sums.append(score_of(weigh(order), heard))
        verdicts.append(judge(screen(weigh(order), limits), heard))

    assert sums[0] == sums[1]
    assert verdicts[0]
    assert verdicts[1]
    assert outcome(verdicts[0]) == outcome(verdicts[1])


@given(weighed, scores)
def test_a_score_is_a_sum_of_who_lists(
    query_all: list[tuple[str, int | None, Finding]], limits: tuple[int, int | None]
) -> None:
    """The rule in its plainest form, with everything known."""
    heard = [finding for _, _, finding in query_all]
    listing = [(flags, weight) for flags, weight, finding in query_all if isinstance(finding, Listed)]
    score = sum((0 if "a" in flags else 1) if weight is None else weight for flags, weight in listing)
    failed = [flags for flags, _, finding in query_all if isinstance(finding, Failing)]
    bounces = limits[1] is not None and score >= limits[1] and not failed

    verdict = judge(screen(weigh(query_all), limits), heard)

    if any("a" in flags and weight is None for flags, weight in listing):
        assert verdict == VOUCHED
    elif score >= limits[0]:
        assert isinstance(verdict, Refuse)
        assert verdict.code == (553 if bounces else 451)
        assert verdict.text in (b"listed", b"other")
    else:
        assert verdict == (LOOKUP_ERROR if any("c" in flags for flags in failed) else Accept())


def test_who_is_on_an_allow_list_without_a_weight_has_no_points_for_it() -> None:
    """$RBLSCORE counts what speaks against a client; an allow-list lets in without any sum."""
    zones = [zone("r"), zone("a"), zone("a *-2")]

    assert score_of(zones, [LISTED, LISTED, CLEAN]) == 1
    assert score_of(zones, [LISTED, LISTED, LISTED]) == -1
    assert score_of(zones, [CLEAN, LISTED, CLEAN]) == 0


@pytest.mark.parametrize(
    ("finding", "expected"),
    [(LISTED, b"127.0.0.2"), (Listed(b"text", b""), b"listed"), (Clean(), b"clean"), (FAILED, b"failed")],
)
def test_a_finding_in_a_word(finding: Finding, expected: bytes) -> None:
    """For the log."""
    assert word(finding) == expected


def weigh(query_all: Sequence[tuple[str, int | None, Finding]]) -> list[Zone]:
    """The zones of an interview with their weights."""
    return [zone(flags if weight is None else f"{flags} *{weight}") for flags, weight, _ in query_all]


def outcome(verdict: Verdict, greet: bool = True) -> int | bool:
    """A verdict without its words: the code, or whether somebody speaks for the client, where that matters."""
    return verdict.code if isinstance(verdict, Refuse) else verdict.vouched and greet


def in_series(query_all: list[tuple[str, Finding]]) -> Verdict:
    """rblsmtpd's way: a state that each option changes until something is decided."""
    never_for_good = False
    for flags, finding in query_all:
        failed = isinstance(finding, Failing)
        never_for_good |= failed
        if "a" in flags:
            unheard = failed and finding != ERROR
            if isinstance(finding, Listed) or (unheard and "c" not in flags):
                return VOUCHED
        elif isinstance(finding, Listed):
            return Refuse(553 if "b" in flags and not never_for_good else 451, finding.text)
        elif failed and "c" in flags:
            return LOOKUP_ERROR
    return Accept()


def as_c_asks(query_all: list[tuple[str, tuple[Answer, Answer]]]) -> Verdict:
    """TXT of a list and A of an allow-list, one zone after the other."""
    heard: list[tuple[str, Finding]] = []
    for flags, answers in query_all:
        answer = answers[0 if "a" in flags else 1]
        if isinstance(answer, Failed):
            heard.append((flags, FAILED))
        elif isinstance(answer, Found) and any(answer.records):
            heard.append((flags, Listed(b"".join(answer.records), b"")))
        else:
            heard.append((flags, CLEAN))
    return in_series(heard)
