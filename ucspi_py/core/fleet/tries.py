"""What a fleet's store is asked about a password that is tried, and what its answer says. Never asks and never counts.

The limits are those of one host, and so is what they are about: a try is counted before anybody is asked, and taken
back where it was no wrong password. So many at once, at many hosts, are no more than the limit.
"""

from typing import NamedTuple

from ..auth.tries import OF_NETWORK, OF_PAIR, OF_USER, REMEMBERED, Limit, TooMany
from .names import LoginNames

_MICRO = 1_000_000


class Question(NamedTuple):
    """What a script is run with."""

    keys: tuple[str, ...]
    arguments: tuple[str, ...]


class Found(NamedTuple):
    """What the store says of a try.

    is_known: the user has logged in from that network, so that both have a count of their own. is_counted: there was
    room for it.
    """

    is_known: bool
    is_counted: bool


class Trial(NamedTuple):
    """A try that was counted. is_known: as of Found."""

    names: LoginNames
    is_known: bool


def of_client(names: LoginNames, *, is_known: bool) -> Question:
    """Ask TRY to count a try of the client. is_known: the host knows that the user has logged in from that network."""
    known = "1" if is_known else ""
    return Question((names.network, names.known, names.pair), (*_numbers(OF_NETWORK), *_numbers(OF_PAIR), known))


def of_user(names: LoginNames) -> Question:
    """Ask TRY to count a try of the user."""
    return Question((names.user,), _numbers(OF_USER))


def found(answer: object) -> Found:
    """Read the answer of TRY. Raises ValueError for what is none."""
    if not isinstance(answer, list) or len(answer) != 2 or not all(number in (0, 1) for number in answer):
        raise ValueError("the answer of the store is none")
    return Found(*map(bool, answer))


def excess(found: Found) -> TooMany | None:
    """Say whose tries are too many, by what was found of the client; None = neither's."""
    if found.is_counted:
        return None
    return TooMany.PAIR if found.is_known else TooMany.NETWORK


def taken_back(names: LoginNames) -> Question:
    """Ask TAKE_BACK for what was counted of a network, as its user has no room."""
    return Question((names.network,), (_worth(OF_NETWORK),))


def was_right(trial: Trial) -> tuple[Question, ...]:
    """Ask TAKE_BACK about a login, which is remembered."""
    of_client, *of_user = was_not_wrong(trial)
    keys, arguments = of_client
    return Question((*keys, trial.names.known), (*arguments, str(REMEMBERED))), *of_user


def was_not_wrong(trial: Trial) -> tuple[Question, ...]:
    """Ask TAKE_BACK about a try of which nobody could tell what it was."""
    names = trial.names
    if trial.is_known:
        return (Question((names.pair,), (_worth(OF_PAIR),)),)
    return taken_back(names), Question((names.user,), (_worth(OF_USER),))


def _numbers(limit: Limit) -> tuple[str, str]:
    return str(limit.tries), _worth(limit)


def _worth(limit: Limit) -> str:
    """Microseconds until one try is free again."""
    return str(limit.seconds * _MICRO // limit.tries)
