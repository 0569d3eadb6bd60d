"""The proof that no stranger relays, held to the verdicts of the lists themselves."""

from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.core import test_restrictions_any as random_lists
from tests.support.restrictions import World, facts, judged, path, settings
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.gate.check.entries import Contents, Entry
from ucspi_py.core.gate.check.open_relay import open_relays
from ucspi_py.core.gate.check.reading import Reading
from ucspi_py.core.gate.check.subject import Subject, Surroundings
from ucspi_py.core.gate.language.configuration import Configuration
from ucspi_py.core.gate.language.restriction_parameters import LISTS
from ucspi_py.core.gate.language.syntax import option
from ucspi_py.core.gate.maps.names import Broken, parse_map_name
from ucspi_py.core.gate.restrictions.facts import Facts, Stage
from ucspi_py.core.gate.restrictions.relay_check import check_relay
from ucspi_py.core.gate.restrictions.settings import RestrictionSettings

TABLE = "hash:/t"
_COMMANDS = (Stage.CONNECT, Stage.HELO, Stage.MAIL, Stage.RCPT)


def is_said(lists: RestrictionSettings, world: World) -> bool:
    """Whether a check names an open relay, or that the relay check is missing."""
    keys = world.tables[TABLE]
    contents: Contents = Broken("x")
    if keys is not None:
        contents = tuple(Entry(key.encode(), value.encode()) for key, value in keys.items())
    said = ["mydestination=ours.example", "relay_domains=relayed.example"]
    said.append(f"smtpd_delay_reject={'yes' if lists.smtpd_delay_reject else 'no'}")
    classes = dict(lists.smtpd_restriction_classes)
    reading = Reading(Configuration(map(option, said)), {one: getattr(lists, one) for one in LISTS}, classes, ())
    around = Surroundings(tables={parse_map_name(TABLE): contents}, holds=lambda domain: domain in _own(world))
    try:
        check_relay(lists)
    except AskedWrongly:
        return True
    return any(open_relays(Subject(reading, around)))


def _own(world: World) -> tuple[bytes, ...]:
    return tuple(one.encode() for one in world.own or ())


def passes(lists: RestrictionSettings, stranger: Facts, world: World) -> bool:
    """Whether each of its commands is taken, and the message not thrown away."""
    verdicts = [judged(lists, stranger._replace(stage=stage), world) for stage in _COMMANDS]
    return not any(verdict.reply or verdict.discard for verdict in verdicts)


def assert_said(given_: dict[str, Any], client: Facts, world: World) -> None:
    """What a stranger gets past these lists is said of them."""
    lists = settings(random_lists.CLASSES, **given_)
    stranger = client._replace(relays=False, recipient=path("u@other.example"))

    if passes(lists, stranger, world):
        assert is_said(lists, world)


_STEPS = st.sampled_from(
    [
        *("permit_mynetworks", "warn_if_reject reject_unauth_destination", "defer_if_permit", "reject_non_fqdn_sender"),
        *(
            f"check_{what}_access {TABLE}"
            for what in ("client", "helo", "sender", "recipient", "reverse_client_hostname")
        ),
        *("permit_dnswl_client bl.example", "permit_auth_destination", "again", "mild", "permit", TABLE),
    ]
)
#: Recipient lists, each with the relay check in it somewhere, and little else.
_PARAMETERS = st.builds(
    lambda before, behind, delay, sender: {
        "recipient": ", ".join([*before, "reject_unauth_destination", *behind]),
        "smtpd_delay_reject": delay,
        "sender": sender,
    },
    st.lists(_STEPS, max_size=3),
    st.lists(_STEPS, max_size=1),
    st.booleans(),
    st.sampled_from(["", "", "", "reject_unauth_destination", f"{TABLE}, reject"]),
)
_KEYS = ("mx.far.example", "192.0.2.7", "a@far.example", "other.example", "u@", "ours.example")
_WORLDS = st.builds(
    lambda table: World(tables={TABLE: table}),
    st.dictionaries(
        st.sampled_from(random_lists.KEYS), st.sampled_from(("OK", "1", "permit", "again", "DUNNO", "REJECT"))
    ),
)


@hypothesis_settings(max_examples=400)
@given(_PARAMETERS, st.one_of(st.just(facts()), random_lists.clients), _WORLDS)
def test_whoever_could_relay_by_a_list_with_a_relay_check_is_said(
    given_: dict[str, Any], client: Facts, world: World
) -> None:
    """By what stands before that check."""
    assert_said(given_, client, world)


@given(random_lists.parameters, random_lists.clients, random_lists.worlds)
def test_whoever_could_relay_is_said(given_: dict[str, Any], client: Facts, world: World) -> None:
    """Whatever the lists and the tables are, and whatever a stranger says."""
    assert_said(given_, client, world)
