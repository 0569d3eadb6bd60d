"""Worlds by chance, each with a Postfix and gates of the same main.cf and master.cf; what they say differently."""

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.support.gate import controls, gated
from tests.support.nameserver import serving

from . import postfix, talk, world
from .backend import BACKEND
from .lists import Lists
from .tables import Tables

#: Servers of a world, each with its lists, and dialogues with each of them.
SERVERS, DIALOGUES = 10, 40
OF_A_WORLD = SERVERS * DIALOGUES
_PARAMETERS = ("smtpd_error_sleep_time=0",)
#: The gate's last check, where lists let mail for elsewhere pass.
_LAST_CHECK = re.compile(rb"[45]\.7\.1 <(.*)>: Relay access denied")
#: Who may relay is not left for it.
_OUT_OF_SYNC = re.compile(rb"[45]54 [45]\.5\.0 Error: SMTP protocol synchronization")
_CRASH = re.compile(r"fatal:|panic:|killed by|bad command startup")
_THREADS = 4


class Pair(NamedTuple):
    """Both servers with the same lists. hosts: as of World."""

    theirs: int
    ours: int
    parameters: Sequence[str]
    hosts: Sequence[str]

    @property
    def is_odd(self) -> bool:
        """Whether Postfix 3.7 has a message that it refused at its end before it still, or meets EHLO with a sender.

        What follows is a crash of smtpd, or a sender of a former transaction that is refused at EHLO.
        """
        return "smtpd_delay_reject=no" in self.parameters or "smtpd_end_of_data_restrictions=" not in self.parameters


class Servers(NamedTuple):
    """Those of one world, with its part of main.cf, and Postfix's log."""

    pairs: Sequence[Pair]
    main: str
    log: Path


@contextmanager
def serving_world(seed: int, folder: Path) -> Iterator[Servers]:
    """Serve the world of a seed. folder: empty, for its tables and logs."""
    draw = random.Random(seed)
    tables = Tables(folder)
    told = world.world(draw, tables, world.LEVELS[seed % len(world.LEVELS)])
    lists = Lists(draw, tables)
    main = (f"compatibility_level = {told.level}\n" if told.level else "") + told.main + lists.classes()
    asked = {str(number): (*_PARAMETERS, *lists.parameters(told.level)) for number in range(SERVERS)}
    tables.make()
    control = controls(folder / "control", rcpthosts="\n".join(told.rcpthosts))
    with serving(world.DNS, folder, port=53) as server, ExitStack() as stack:
        theirs = stack.enter_context(postfix.running(asked, main=main, name_server=server.address))
        gates = [
            stack.enter_context(
                gated(
                    ("sh", "-c", BACKEND),
                    folder / f"gate-{name}",
                    control=control,
                    rules=":allow\n",
                    variables={"DNSCACHEIP": server.address},
                    file=theirs.main,
                    service=f"127.0.0.1:{theirs.ports[name]}",
                )
            )
            for name in asked
        ]
        pairs = [
            Pair(theirs.ports[name], gate.port, words, told.hosts)
            for (name, words), gate in zip(asked.items(), gates, strict=True)
        ]
        yield Servers(pairs, main, theirs.log)


def differences(seed: int, dialogues: int = OF_A_WORLD) -> list[str]:
    """Talk to both servers of a world, so many dialogues -> a text for each that goes otherwise."""
    with tempfile.TemporaryDirectory(prefix="world-") as name:
        Path(name).chmod(0o755)
        with serving_world(seed, Path(name)) as servers, ThreadPoolExecutor(_THREADS) as pool:
            found = [text for text in pool.map(partial(_difference, servers, seed), range(dialogues)) if text]
            return [*found, *(line for line in servers.log.read_text().splitlines() if _CRASH.search(line))]


def _difference(servers: Servers, seed: int, number: int) -> str:
    pair = servers.pairs[number % SERVERS]
    said = talk.by_chance(random.Random(seed * 1_000_000 + number), tidy=pair.is_odd)
    theirs, ours = (talk.heard(port, said) for port in (pair.theirs, pair.ours))
    place = _first(pair, said, theirs, ours)
    if place is None:
        return ""
    sides = "\n".join(f"{who} {replies[place:][:1]}" for who, replies in (("Postfix", theirs), ("ours", ours)))
    told = "\n".join((*pair.parameters, servers.main))
    files = "\n".join(f"{file}:\n{Path(file).read_text()}" for file in re.findall(r"/\S+/world-\w+/\d+", told))
    before = "\n".join(map(str, theirs[:place]))
    return f"world {seed}, dialogue {number}, {said.source} {said.manner}\n{sides}\n{before}\n{told}{files}"


def _first(pair: Pair, said: talk.Talk, theirs: Sequence[talk.Heard], ours: Sequence[talk.Heard]) -> int | None:
    """The place of the first reply that differs; None = all are the same, or the rest is not comparable."""
    for place, (their, our) in enumerate(zip(theirs, ours, strict=False)):
        if our != their:
            return None if _is_deliberate(pair, said.source, their.reply, our.reply) else place
    return None if len(theirs) == len(ours) else min(len(theirs), len(ours))


def _is_deliberate(pair: Pair, source: str, their: bytes, our: bytes) -> bool:
    denied = _LAST_CHECK.search(our)
    if denied and their[:1] == b"2":
        return _is_elsewhere(denied[1].decode(), pair.hosts)
    return source == world.INSIDE and _OUT_OF_SYNC.fullmatch(their) is not None


def _is_elsewhere(recipient: str, hosts: Sequence[str]) -> bool:
    """Whether no list may make it a recipient of ours."""
    local, _, domain = recipient.lower().rpartition("@")
    is_host = domain in hosts or any(domain.endswith(host) for host in hosts if host.startswith("."))
    return not is_host or any(sign in local for sign in "@%!")
