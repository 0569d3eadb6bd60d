"""What happened to a client, step by step, in text for people. Never finds it out."""

from typing import NamedTuple


class Judged(NamedTuple):
    """One restriction that was evaluated.

    list: the parameter that has it, "" behind all lists. depth: 0 in a list of main.cf, more in a class or in the value
    of a table. restriction: as it is written. verdict: what came of it. facts: what it asked, and the answers.
    """

    list: str
    depth: int
    restriction: str
    verdict: str
    facts: tuple[str, ...] = ()


class Told(NamedTuple):
    """A milter that was told of a command.

    milter: as main.cf has it. verdict: what it says. refuses: whether the client hears that. changes: what it wants to
    have changed in the message, a line each.
    """

    milter: str
    verdict: str
    refuses: bool = False
    changes: tuple[str, ...] = ()


class Step(NamedTuple):
    """One step of the way.

    what: the room, or the client's command. found: what is known there, a line each. judged: restrictions in the order
    in which they were evaluated. milters: in the order in which they were told. reply: lines that the client sees, log:
    that the server would log, without line ends.
    """

    what: str
    found: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    milters: tuple[Told, ...] = ()
    reply: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class Way(NamedTuple):
    """The whole way of a client.

    verdict: the last word, in a sentence. environment: what of its program's is of the client, by name; None = no
    program is started.
    """

    steps: tuple[Step, ...]
    verdict: str
    environment: dict[str, str] | None
