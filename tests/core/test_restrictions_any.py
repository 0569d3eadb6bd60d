"""Whatever the lists, the world and the client are: laws of judge() that no verdict may break."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.restrictions import GREYLIST_STORE, LISTS, World, facts, judged, last_check, path, settings
from ucspi_py.core.explain.trace import Trace, Tracer
from ucspi_py.core.gate.restrictions.facts import Facts, NameStatus, Stage
from ucspi_py.core.gate.restrictions.judgement import Judgement
from ucspi_py.core.gate.restrictions.names import NEEDS, Needs
from ucspi_py.core.gate.restrictions.questions import Answer, DnsFailure, Question, Visited, ZoneFailure
from ucspi_py.core.gate.restrictions.stages import judge
from ucspi_py.core.greylist.attempt import Deferred, Passed

ARGUMENTS = {
    Needs.NOTHING: "",
    Needs.TABLE: " hash:/t",
    Needs.ZONE: " bl.example",
    Needs.SECONDS: " 1",
    Needs.STORE: f" {GREYLIST_STORE}",
    Needs.SERVICE: " unix:private/policy",
}
NAMES = sorted(set(NEEDS) - {"warn_if_reject"})
VALUES = (
    *("OK", "REJECT", "DEFER", "DUNNO", "DISCARD", "DEFER_IF_PERMIT", "DEFER_IF_REJECT x", "550 5.1.1 x", "421 x"),
    *("mild", "again", "reject_unknown_sender_domain", "permit_auth_destination, reject", "no such word", ""),
)
KEYS = (
    *("mx.far.example", "far.example", "example", "192.0.2.7", "192", "<>", "a@far.example", "a@", "u@ours.example"),
    *("ours.example", "other.example", "u@"),
)
CLASSES = {"mild": "warn_if_reject reject, permit_mynetworks", "again": "check_recipient_access hash:/t"}
DOMAINS = ("far.example", "mx.far.example", "ours.example", "other.example")
RECORDS = {
    "A": ["192.0.2.7"],
    "AAAA": ["2001:db8::7"],
    "MX": ["mx.far.example"],
    "NS": ["ns.far.example", "mx.far.example"],
}

restrictions = st.builds(
    lambda warn, name: ("warn_if_reject " if warn else "") + name + ARGUMENTS[NEEDS[name]],
    st.integers(0, 4).map(lambda number: number == 0),
    st.sampled_from(NAMES),
)
texts = st.lists(st.one_of(restrictions, st.sampled_from(sorted(CLASSES))), max_size=4).map(", ".join)
parameters = st.fixed_dictionaries(
    dict.fromkeys(LISTS, texts),
    optional={
        "smtpd_delay_reject": st.booleans(),
        "soft_bounce": st.booleans(),
        "smtpd_relay_before_recipient_restrictions": st.booleans(),
        "smtpd_reject_unlisted_sender": st.booleans(),
    },
)
answers = st.sampled_from([*DnsFailure, None])
worlds = st.builds(
    lambda failures, table, zones, own, greylist, action: World(
        dns={name: failure or RECORDS[name.split()[1]] for name, failure in failures.items()},
        tables={"hash:/t": table},
        zones={f"{subject} bl.example": found for subject, found in zones.items()},
        own=own,
        greylist=greylist,
        services={"unix:private/policy": action},
    ),
    st.dictionaries(st.sampled_from([f"{name} {kind}" for name in DOMAINS for kind in RECORDS]), answers),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))),
    st.dictionaries(st.sampled_from(("192.0.2.7", *DOMAINS)), st.sampled_from(["", "text", *ZoneFailure])),
    st.sampled_from([(), ("far.example",), None]),
    st.sampled_from([None, Visited(Deferred(300, True)), Visited(Passed(b"triplet found", 300), b"X-Greylist: 300")]),
    st.sampled_from([None, *VALUES]),
)
clients = st.builds(
    facts,
    st.sampled_from(Stage),
    name_status=st.sampled_from(NameStatus),
    helo=st.sampled_from([None, b"mx.far.example", b"pc", b"[192.0.2.7]", b"-"]),
    sender=st.sampled_from(["", "a@far.example", "joe", "u@ours.example"]),
    recipient=st.sampled_from(
        ["u@ours.example", "u@other.example", "u%other.example@ours.example", "u@relayed.example"]
    ),
    accepted=st.integers(0, 2),
    ill_pipelining=st.booleans(),
    relays=st.booleans(),
)


def final(lists: Any, client: Facts, known: dict[Question, Answer]) -> Judgement | None:
    """The judgement, if enough is known."""
    found = judge(lists, client, known)
    return found if isinstance(found, Judgement) else None


@given(parameters, clients, worlds, st.randoms())
def test_in_whatever_order_answers_come_the_judgement_is_the_same(
    given_: dict[str, Any], client: Facts, world: World, chance: random.Random
) -> None:
    """And with fewer of them there is none, or the same one."""
    lists = settings(CLASSES, **given_)
    expected = judged(lists, client, world)
    questions = list(world.asked)
    chance.shuffle(questions)
    known: dict[Question, Answer] = {}
    for question in questions:
        assert final(lists, client, known) in (None, expected)
        known[question] = world.answer(question)

    assert final(lists, client, known) == expected


@given(parameters, clients, worlds)
def test_only_what_decides_is_asked(given_: dict[str, Any], client: Facts, world: World) -> None:
    """Without any one of the answers there is no judgement."""
    lists = settings(CLASSES, **given_)
    judged(lists, client, world)
    known = {question: world.answer(question) for question in tuple(world.asked)}

    for question in known:
        fewer = {one: answer for one, answer in known.items() if one != question}
        assert final(lists, client, fewer) is None


@given(parameters, clients, worlds)
def test_no_list_lets_a_stranger_relay(given_: dict[str, Any], client: Facts, world: World) -> None:
    """Whatever they and the tables of access say, the check behind them does not hear of it."""
    lists = settings(CLASSES, **given_)
    judged(lists, client._replace(relays=False, recipient=path("u@other.example")), world)

    refusal = last_check(lists, "u@other.example", world)
    assert refusal.startswith("451 4.3.0 " if world.own is None else "554 5.7.1 ")
    assert last_check(lists, "u@other.example", world, relays=True) == ""


@given(parameters, clients, worlds)
def test_every_refusal_is_an_smtp_reply(given_: dict[str, Any], client: Facts, world: World) -> None:
    """One line of 510 bytes at most, whose detail code is of its code's kind; with soft_bounce none is final."""
    verdict = judged(settings(CLASSES, **given_), client, world)
    if verdict.reply is None:
        return
    line = verdict.reply.line
    kind = 4 if given_.get("soft_bounce") else verdict.reply.code // 100

    assert line.startswith(b"%d" % kind)
    assert line[4:6] == b"%d." % kind
    assert len(line) <= 510
    assert line.isascii() and line.decode().isprintable()


@given(parameters, clients, worlds)
def test_whoever_may_relay_and_is_permitted_passes(given_: dict[str, Any], client: Facts, world: World) -> None:
    """Nothing behind the lists refuses it for where it writes to."""
    permitted = given_ | dict.fromkeys(LISTS, "permit_mynetworks, reject")
    client = client._replace(relays=True, recipient=path("u@other.example"), deferred=None)
    lists = settings(CLASSES, **permitted, smtpd_reject_unlisted_recipient=False)

    assert judged(lists, client, world).reply is None


@given(parameters, clients, worlds)
def test_whoever_watches_changes_nothing(given_: dict[str, Any], client: Facts, world: World) -> None:
    """pyrules explain judges as the server does, and what it shows last is what is said."""
    lists, known, traces = settings(CLASSES, **given_), dict[Question, Answer](), list[Trace]()
    expected = judged(lists, client, world)
    while not isinstance(found := Tracer(traces.append).judge(lists, client, known), Judgement):
        known.update((question, world.answer(question)) for question in found)

    assert found == expected._replace(pause=0)
    (trace,) = traces
    assert trace.pause == expected.pause
    refusals = [one.verdict for one in trace.judged if one.verdict.startswith("reject: ")]
    assert bool(refusals) == (expected.reply is not None)
    if expected.reply:
        assert refusals[-1] == f"reject: {expected.reply.line.decode()}"
