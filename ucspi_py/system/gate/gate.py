"""The gate of one process: who talks there, for how long at most, and who is left when the process ends.

Never talks itself.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import Failure
from ...core.gate import event_limits, loglines
from ...core.gate.settings import GateSettings
from ...core.gate.visitor import Visitor, visitor, within_tls
from ...core.smtp.dialogue import Dialogue
from ...core.smtp.reply import reply
from ...core.smtp.settings import Greeting
from ...core.smtp.verdict import Refuse
from ...core.tls.environment import tell, with_tls, without_tls
from ...core.tls.facts import TlsFacts
from ...core.top.visitor import State
from ...core.top.watch import UNWATCHED, Watch
from ..process.timer import Timer
from ..refuse import last_reply
from ..report.complaints import Complaints
from ..report.connection_ids import connection_ids
from ..report.log import Log
from . import parts
from .backend.pipe import BackendPipe, Start
from .control import Control
from .conversation import Conversation
from .session import Hold, Host, Session
from .session_log import SessionLog
from .throttle import Counts, Throttle
from .trust import NOBODY, Trust

if TYPE_CHECKING:
    from ..tls.session import TlsSession
    from .lists.lookups import Ways

#: Seconds between two looks at all sessions: one timer for all of them.
_LOOKS = 0.25
#: Seconds for which a client may be silent while places are scarce (Postfix, stress-adaptive smtpd_timeout).
_STRESS_TIMEOUT = 10
#: Seconds that are left to clients without a transaction when the process is to end.
_GRACE = 10.0

#: qmail-smtpd.c, die_control.
_NO_CONTROLS = reply(421, b"4.3.0 unable to read controls").wire


class Client(NamedTuple):
    """A client that has come to the gate.

    environment: what its backend gets. refusal: what a screen before the gate says of it; None = nothing against it.
    screen: the name of that screen in log lines. start: starts the backend. hold: how it stands among those that may be
    asked to leave. counts: counts it; None = nobody does. secured: its TLS, which has begun before; None = it has not;
    environment is changed to tell of it: a second one would stay as long as the client. tls: what is known of TLS that
    it speaks with somebody else, who hands on what it says; None = it speaks none. unique_id: of its connection; b"" =
    nobody has given it one.
    """

    socket: socket.SocketType
    environment: dict[bytes, bytes]
    refusal: Refuse | None
    screen: bytes
    start: Start
    hold: Hold
    counts: Counts | None = None
    secured: "TlsSession | None" = None
    tls: TlsFacts | None = None
    unique_id: bytes = b""

    @property
    def facts(self) -> TlsFacts | None:
        """What is known of its TLS, with whomever."""
        return self.secured.facts() if self.secured else self.tls


class Gate:
    """All sessions of one process.

    is_crowded: whether places for clients are scarce. ways: makes the ways to name servers and zones, where lists ask.
    trust: how clients become trusted beside their addresses. session_log: makes the log of each session, as SessionLog.
    watch: may be set; who hears of the session that begins.
    """

    def __init__(
        self,
        settings: GateSettings,
        log: Log,
        is_crowded: Callable[[], bool],
        ways: "Callable[[], Ways]",
        trust: Trust = NOBODY,
    ) -> None:
        self._complain = _complaints(log)
        self._host = Host(settings, Control(settings.qmail_control, self._complain))
        self._log = log
        self._is_crowded = is_crowded
        self._conversations: set[Conversation] = set()
        self._timer = Timer(_LOOKS, self._look)
        self._judging = parts.judging(settings, ways, self._complain, self._host.control)
        self._ids = connection_ids()
        self._checks = parts.checks(settings, self._complain)
        self._milting = parts.milting(settings, ways, self._complain)
        self._leave_at: float | None = None
        self._trust = trust
        self.session_log: Callable[..., SessionLog] = SessionLog
        self.watch: Callable[[], Watch] = lambda: UNWATCHED

    async def open(self) -> None:
        """Open what lists ask before the first client comes; what is wrong with it is in the log."""
        if self._judging:
            await self._judging.open()

    async def close(self) -> None:
        """Give everything back."""
        if self._judging:
            await self._judging.close()
        if self._milting:
            self._milting.close()

    def talk(self, client: Client) -> Awaitable[None]:
        """Speak with a client from the banner to the end of its session, to be awaited.

        Raises Failure where control files fail. No coroutine: that would keep all of this for as long as the client.
        """
        settings, control = self._host
        client = self._without_forged_tls(client)
        guest = visitor(client.environment, settings, client.refusal, client.unique_id or next(self._ids))
        facts = client.facts
        if facts:
            guest = within_tls(guest, facts, settings)
        try:
            greeting = control.greeting(settings, client.environment)
        except Failure:
            _say_last(client, _NO_CONTROLS)
            raise
        throttle = self._throttle(client, guest, greeting.myhostname)
        refusal = throttle and throttle.connection()
        if refusal:
            _say_last(client, refusal.wire)
            return asyncio.sleep(0)
        self._timer.ask(asyncio.get_running_loop())
        return Conversation(self._host, self._session(client, guest, greeting, throttle)).run(self._conversations)

    def _session(self, client: Client, guest: Visitor, greeting: Greeting, throttle: Throttle | None) -> Session:
        settings = self._host.settings
        smtp = settings.smtp
        offers, early = self._trust.offers(guest), self._host.judges_early
        dialogue = Dialogue(smtp, greeting, excepted=guest.relays, judges_early=early, offers=offers)
        if throttle:
            dialogue.throttled(throttle.command)
        log = self.session_log(self._log, guest, client.screen, softens=smtp.soft_bounce, dry_run=settings.dry_run)
        log.watch = self.watch()
        log.watch.at(State.SESSION)
        backend = self._backend(client, guest, dialogue, log)
        if self._milting:
            checks = self._checks.of_session(dialogue, log) if self._checks else None
            domains = self._judging.domains if self._judging else self._host.control
            connection = client.environment, greeting.myhostname
            count = throttle.connections if throttle else 0
            told = parts.OfSession(*connection, log, checks, settings.dry_run, domains.holds, count)
            self._milting.put_before(backend, guest, dialogue, told)
        name, connected, hold, environment = greeting.myhostname, client.socket, client.hold, client.environment
        session = Session(name, connected, dialogue, guest, backend, hold, log, environment, secured=client.secured)
        return self._trust.begun(session, offers)

    def _without_forged_tls(self, client: Client) -> Client:
        """Where there is TLS, nobody but us says who speaks it."""
        if client.secured:
            tell(client.environment, client.secured.facts())
            return client
        if client.tls:
            return client._replace(environment=with_tls(client.environment, client.tls))
        if self._trust.tls is None:
            return client
        return client._replace(environment=without_tls(client.environment))

    def _throttle(self, client: Client, guest: Visitor, name: bytes) -> Throttle | None:
        """What holds a client against the limits; None = it has none."""
        limits = self._host.settings.event_limits
        if limits is None or client.counts is None or event_limits.excepts(limits, guest):
            return None
        return Throttle(limits, client.counts, guest, name, self._log)

    def _backend(self, client: Client, guest: Visitor, dialogue: Dialogue, log: SessionLog) -> BackendPipe:
        if self._judging is None:
            pipe = BackendPipe(client.start, client.environment, guest, self._complain.by(log.warn))
        else:
            pipe = self._judging.pipe(client.start, client.environment, guest, dialogue, log)
        if self._checks is not None:
            pipe.make = self._checks.maker(dialogue, log)
        return pipe

    def drain(self) -> None:
        """Have whoever is in no transaction leave after a moment; the others finish theirs."""
        self._leave_at = time.monotonic() + _GRACE

    def _look(self) -> None:
        if self._conversations:
            self._timer.ask(asyncio.get_running_loop())
        now = time.monotonic()
        timeout = self._host.settings.smtp.timeout
        idle_limit = min(timeout, _STRESS_TIMEOUT) if self._is_crowded() else timeout
        leaving = self._leave_at is not None and now >= self._leave_at
        for conversation in tuple(self._conversations):
            conversation.look(now, idle_limit=idle_limit, leaving=leaving)


def _say_last(client: Client, words: bytes) -> None:
    """Tell a client why it is left before there is a session."""
    if client.secured:
        with suppress(OSError):
            client.secured.write(words)
            client.secured.close()
        words = client.secured.output()
    last_reply.say(client.socket, words)


def check(settings: GateSettings, log: Log) -> None:
    """Look whether qmail's control files can be used, before the first client comes.

    Raises AskedWrongly where nothing says our name, and for what a table has that cannot be done; Failure for a file
    that cannot be read.
    """
    complain = _complaints(log)
    Control(settings.qmail_control, complain).check(settings)
    if settings.restrictions:
        from .lists import judging

        judging.check(settings.restrictions, complain)
    if settings.content:
        from .content import checks

        checks.check(settings.content, complain)
    if settings.milters:
        from .milter import checking

        checking.check(settings.milters, complain)


def _complaints(log: Log) -> Complaints:
    return Complaints(lambda sentence: log.warn(loglines.warning(sentence)))
