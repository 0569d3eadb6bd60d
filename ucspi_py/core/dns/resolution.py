"""Resolution: which name servers are well, which is asked next, when a question is over. Never asks, reads no clock.

Servers are whatever the caller takes for them. A server is well from its first answer until it has been silent; one
that is not well is asked only beside others, so that no client waits for it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S")

#: Seconds until the next server is asked, or the same one again, round after round (dns_transmit.c: 1, 3, 11, 45).
PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
#: Seconds after which an answer is late: a server without any answer meanwhile is silent.
LATE = PATIENCE[0]
#: Seconds between two questions that are repeated to silent servers, to learn whether they are well again.
PROBES = 1.0


class Next(Enum):
    """What is to be done about a question."""

    WAIT = "wait"
    ASK = "ask the next servers"
    OVER = "nobody can say"


class Plan(NamedTuple, Generic[S]):
    """The servers that are asked together, turn after turn. first: in the first round. later: in every other one."""

    first: tuple[tuple[S, ...], ...]
    later: tuple[tuple[S, ...], ...]


class Standings(Generic[S]):
    """Keeps which servers are well, and plans in which order they are asked.

    servers: in the operator's order. well: those known to be well; the others have yet to answer.
    """

    def __init__(self, servers: Sequence[S], well: Iterable[S] = ()) -> None:
        self._servers = servers
        self._well = set(well)
        self._probed = 0.0
        self._plan_anew()

    @property
    def any_well(self) -> bool:
        """Whether any server may be asked alone."""
        return bool(self._well)

    def is_well(self, server: S) -> bool:
        """Whether a server has answered since it was last silent."""
        return server in self._well

    def answered(self, server: S) -> None:
        """Mark a server well: it has answered, whatever the answer."""
        if server not in self._well and server in self._servers:
            self._well.add(server)
            self._plan_anew()

    def missed(self, server: S) -> None:
        """Mark a server not well: it is silent, or cannot be reached."""
        if server in self._well:
            self._well.discard(server)
            self._plan_anew()

    def to_probe(self, now: float) -> Sequence[S]:
        """List the silent servers to which a new question is repeated in the background, once a second at most.

        now: seconds of the monotonic clock.
        """
        if not self._silent or not self._well or now < self._probed + PROBES:
            return ()
        self._probed = now
        return self._silent

    def _plan_anew(self) -> None:
        well = [server for server in self._servers if server in self._well]
        self._silent = tuple(server for server in self._servers if server not in self._well)
        first = tuple((server,) for server in well) or (self._silent,)
        self.plan = Plan(first, ((*self._silent, *well[:1]), *first[1:]))


class Resolution(Generic[S]):
    """One question on its way from server to server. due: the monotonic second at which the next turn begins."""

    __slots__ = ("_plan", "_round", "_turn", "_turns", "_waiting", "due")

    def begin(self, plan: Plan[S]) -> None:
        """Go to the first round, again where it has begun already: a new waiter's question has all turns before it.

        plan: the present one.
        """
        self._plan = plan
        self._turns = plan.first
        self._round = 0
        self._turn = -1
        self._waiting: list[S] = []

    def next_turn(self, plan: Plan[S], now: float) -> Sequence[S]:
        """Begin the next turn: the servers to be asked. plan: the present one, for the next round. now: as ``due``."""
        self._turn += 1
        if self._turn == len(self._turns):
            self._plan = plan
            self._turns = plan.later
            self._turn = 0
            self._round = min(self._round + 1, len(PATIENCE) - 1)
        self.due = now + PATIENCE[self._round]
        servers = self._turns[self._turn]
        self._waiting += servers
        return servers

    def failed(self, server: S) -> Next:
        """Count the failure of a server that was asked; the question is over once all of them have failed."""
        if server in self._waiting:
            self._waiting.remove(server)
        # Until all have been asked, one server has a turn at a time.
        if server in self._turns[self._turn] and not self._have_all_been_asked():
            return Next.ASK
        return Next.WAIT if self._waiting else Next.OVER

    def _have_all_been_asked(self) -> bool:
        """Silent servers have their turn at the beginning of the second round, unless all are silent."""
        return bool(self._round) or (
            self._turn == len(self._plan.first) - 1 and self._plan.first[0] == self._plan.later[0]
        )
