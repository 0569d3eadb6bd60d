"""The stub resolver: queries to the name servers, each with a deadline. Never judges an answer."""

import asyncio
import os
import time
from collections.abc import Callable

from ...core.dns import message as dns_message
from ...core.dns.message import PROTOCOL_ERROR, TIMED_OUT, Answer, AnswerCallback, Failed, Question
from ...core.dns.resolution import LATE, Next, Resolution, Standings
from ...core.dns.servers import Server
from ..process.timer import Timer
from .server_list import ServerList
from .udp_exchange import TOO_LONG
from .upstream import Query as _Query
from .upstream import Upstream as _Upstream

#: Questions out at one server, of all workers together: each takes 768 bytes of the 208 KB that Linux gives a socket to
#: receive into, and a server that has fallen behind drops what does not fit.
_OUT = 200
#: The least of them for one worker.
_LEAST_OUT = 8
#: Seconds between two looks for questions whose time is over: one timer for all of them.
_LOOKS = 0.05
#: Seconds for which the answer of a silent server is waited for, since it shows that the server is well again.
_MEMORY = 5.0


class _Asking(Resolution["Upstream"]):
    """A question that is out, for all that ask it. waiters: their deadlines, in monotonic seconds, and callbacks."""

    __slots__ = ("asked", "begun", "key", "queries", "waiters")

    def __init__(self, key: tuple[bytes, int], asked: Question) -> None:
        self.key = key
        self.asked = asked
        self.begun = 0.0
        self.queries: list[Query] = []
        self.waiters: list[tuple[float, AnswerCallback]] = []

    @property
    def is_busy(self) -> bool:
        """Whether it waits for its turn, or for an answer over TCP, so that repeating it is of no use."""
        return any(query.is_queued or query.tcp for query in self.queries)

    @property
    def is_queued(self) -> bool:
        """Whether it waits for its turn at a server."""
        return any(query.is_queued for query in self.queries)


Upstream = _Upstream[_Asking]
Query = _Query[_Asking]


class Resolver:
    """Queries name servers over UDP, and over TCP where an answer does not fit.

    current: gives the name servers, in order, at a second of the monotonic clock; the same object as long as they are
    the same. askers: how many processes ask as this one does; together they have 200 questions out at one server.
    """

    def __init__(self, current: Callable[[float], tuple[Server, ...]], askers: int = 1) -> None:
        self._current = current
        self._limit = max(_LEAST_OUT, _OUT // askers)
        self._servers: tuple[Server, ...] = ()
        self._upstreams: list[Upstream] = []
        self._left: list[Upstream] = []
        self._standings: Standings[Upstream] = Standings(())
        self._askings: dict[tuple[bytes, int], _Asking] = {}
        self._looking = Timer(_LOOKS, self._look)
        self._forgetting = Timer(_MEMORY, self._forget)

    def ask(self, name: bytes, kind: int, deadline: float, callback: AnswerCallback) -> None:
        """Query the records of one type of a dotted name.

        kind: A, AAAA, TXT or PTR. deadline: second of the monotonic clock; then the answer is TIMED_OUT. callback: gets
        the answer, once, perhaps before this returns. Server after server is asked, round after round; it is over at
        once when every server has answered with a failure. A question that is out already is not asked twice
        (RFC 5452, 5).
        """
        now = time.monotonic()
        self._follow(now)
        key = name, kind
        asking = self._askings.get(key)
        if asking is None:
            try:
                asked = dns_message.question(name, kind)
            except ValueError:
                callback(PROTOCOL_ERROR)
                return
            asking = self._askings[key] = _Asking(key, asked)
            self._begin(asking, now)
        elif asking.begun + LATE <= now and not asking.is_busy:
            self._begin(asking, now)
        asking.waiters.append((deadline, callback))

    def close(self) -> None:
        """Close every socket; callbacks that still wait are never called."""
        for upstream in self._upstreams + self._left:
            upstream.close()
        for asking in self._askings.values():
            self._drop_queries(asking, 0.0)
        self._askings.clear()

    def _follow(self, now: float) -> None:
        """Use the servers that are named now; questions that are out begin anew with them."""
        servers = self._current(now)
        if servers is self._servers:
            return
        self._servers = servers
        loop = asyncio.get_running_loop()
        known = {upstream.server: upstream for upstream in self._upstreams}
        well = [upstream for upstream in self._upstreams if self._standings.is_well(upstream)]
        self._upstreams = [
            known.pop(server) if server in known else _Upstream(loop, server, self._limit, self._take)
            for server in dict.fromkeys(servers)
        ]
        self._standings = Standings(self._upstreams, well)
        for upstream in known.values():
            upstream.give_up_queue()
            self._left.append(upstream)
        for asking in self._askings.values():
            self._begin(asking, now)

    def _begin(self, asking: _Asking, now: float) -> None:
        loop = asyncio.get_running_loop()
        self._looking.ask(loop)
        self._forgetting.ask(loop)
        asking.begun = now
        asking.queries = [query for query in asking.queries if not query.is_spent]
        asking.begin(self._standings.plan)
        self._ask_next(asking, now)
        for upstream in self._standings.to_probe(now):
            asking.queries.append(upstream.probe(asking, asking.asked, now))

    def _ask_next(self, asking: _Asking, now: float) -> None:
        for upstream in asking.next_turn(self._standings.plan, now):
            asking.queries.append(upstream.ask(asking, asking.asked, now))

    def _take(self, query: Query, answer: Answer, now: float) -> None:
        """Take a server's answer to a query, or that it cannot be reached."""
        upstream, asking = query.upstream, query.owner
        if upstream.heard >= query.sent:
            self._standings.answered(upstream)
        else:
            self._miss(upstream, now)
        if self._askings.get(asking.key) is not asking:
            return
        if answer is TOO_LONG:
            upstream.ask_over_tcp(query)
            return
        what_next = asking.failed(upstream) if isinstance(answer, Failed) else Next.OVER
        if what_next is Next.OVER:
            self._end(asking, answer, now)
        elif what_next is Next.ASK:
            self._ask_next(asking, now)

    def _miss(self, upstream: Upstream, now: float) -> None:
        """Note that a server is silent: queries that wait for a turn there go to the next one, if any is well."""
        self._standings.missed(upstream)
        if self._standings.any_well:
            for query in upstream.give_up_queue():
                if self._askings.get(query.owner.key) is query.owner:
                    self._ask_next(query.owner, now)

    def _end(self, asking: _Asking, answer: Answer, now: float) -> None:
        del self._askings[asking.key]
        self._drop_queries(asking, now)
        for _, callback in asking.waiters:
            _told(callback, answer)

    def _drop_queries(self, asking: _Asking, now: float) -> None:
        queries, asking.queries = asking.queries, []  # or they would keep each other in memory
        for query in queries:
            query.upstream.drop(query, now)

    def _look(self) -> None:
        """End what is due: the patience with a server, the turn of a question, the deadline of a waiter."""
        now = time.monotonic()
        self._follow(now)
        for asking in list(self._askings.values()):
            for query in asking.queries:
                if query.is_overdue(now) and query.upstream.miss(query, now):
                    self._miss(query.upstream, now)
            self._dismiss(asking, now)
            if asking.due <= now and asking.waiters:
                if asking.is_queued:
                    asking.due = now + LATE
                else:
                    self._ask_next(asking, now)
        if self._askings:
            self._looking.ask(asyncio.get_running_loop())

    def _dismiss(self, asking: _Asking, now: float) -> None:
        """Call the waiters whose deadline is over; a question without waiters is over too."""
        late = [callback for deadline, callback in asking.waiters if deadline <= now]
        if late:
            asking.waiters = [(deadline, callback) for deadline, callback in asking.waiters if deadline > now]
            if not asking.waiters:
                self._end(asking, TIMED_OUT, now)
            for callback in late:
                _told(callback, TIMED_OUT)

    def _forget(self) -> None:
        before = time.monotonic() - _MEMORY
        is_out = [upstream.forget(before) for upstream in self._upstreams]
        left, self._left = self._left, []
        for upstream in left:
            if upstream.forget(before):
                self._left.append(upstream)
            else:
                upstream.close()
        if any(is_out) or self._left or self._askings:
            self._forgetting.ask(asyncio.get_running_loop())


def _told(callback: AnswerCallback, answer: Answer) -> None:
    """Call a callback whose error must not keep the answer from the others."""
    try:
        callback(answer)
    except Exception as error:
        context = {"message": f"Exception in {callback!r}", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)


def from_environment(askers: int = 1) -> Resolver:
    """Make the resolver for the servers of $DNSCACHEIP or /etc/resolv.conf.

    askers: how many processes have one. Raises AskedWrongly for a word in $DNSCACHEIP that is no name server.
    """
    return Resolver(ServerList(os.environ.get("DNSCACHEIP", "")).current, askers)
