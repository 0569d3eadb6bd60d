"""CORRIDOR 4: a client's way through a service, in the order of service/session.py. Serves nobody, writes nothing."""

import asyncio
import contextlib
from dataclasses import replace

from ...core.client import limits
from ...core.client.connection import Endpoints, Names, environ
from ...core.client.limits import Presence
from ...core.dns.message import Ask
from ...core.explain import rooms
from ...core.explain.question import Asked
from ...core.explain.steps import Step, Way
from ...core.explain.verdict import sentence
from ...core.rules.data import DEFAULT, Instructions
from ...core.rules.explain import Explanation
from ...core.rules.explain import explain as explained
from ...core.service.settings import ServerSettings
from ...core.text import shown
from ..accept import listener
from ..lookup import resolver
from ..lookup.names import NameLookup
from ..rules.live import RulesFile
from ..supervisor.listeners import port_of
from . import screens
from .session import Visit, at_gate, refused

#: Variables of a connection that there is not, and of a session.
_UNKNOWN, _OF_SESSION = ("REMOTEPORT", "REMOTEINFO"), b"UNIQUE_ID"


def explain(settings: ServerSettings, asked: Asked) -> Way:
    """Find out what becomes of a client of a service.

    settings: of the service; its program is never started. Raises Failure where a file or a store cannot be read.
    """
    return asyncio.run(_explain(settings, asked))


async def _explain(settings: ServerSettings, asked: Asked) -> Way:
    with contextlib.closing(resolver.from_environment()) as servers:
        return await _Walk(settings, asked, servers.ask).way()


class _Walk:
    """One walk. steps: those that were made."""

    def __init__(self, settings: ServerSettings, asked: Asked, ask: Ask) -> None:
        self._settings = settings
        self._asked = asked
        self._ask = ask
        self._endpoints = _endpoints(settings, asked)
        self._steps: list[Step] = []

    async def way(self) -> Way:
        """Walk until the client is turned away, or has come to the program."""
        if self._settings.proxies:
            self._step("proxy (--proxy-from)", *rooms.proxy(self._settings.proxies))
        if self._settings.banner:
            self._step("banner (-B)", reply=_lines(self._settings.banner))
        names = await self._names()
        rule = self._rule(names)
        if rule.deny:
            return self._end("is denied by a rule: the connection is closed without a word")
        if excess := self._limits(rule):
            return self._end(f"is over a limit: {shown(excess)}")
        environment = environ({}, self._endpoints, names, rule.variables)
        return await self._behind_limits(Visit(self._asked, names.remote_host, environment, None, b""), rule)

    async def _names(self) -> Names:
        # Our own name is for the program alone, and ident is asked of the client.
        quiet = replace(self._settings, local_name=self._settings.local_name or b"", remote_info=False)
        lookup = NameLookup(quiet, self._ask)
        names = lookup.static or await lookup.look_up(self._endpoints)
        self._step("names", *rooms.names(self._settings, names))
        return names._replace(local_host=names.local_host or None)

    def _rule(self, names: Names) -> Instructions:
        settings = self._settings
        if settings.rules is None:
            self._step("rules", "none (no -x)")
            return DEFAULT
        found: Explanation = explained(
            RulesFile(settings.rules, settings.allow_no_rules).current(),
            self._asked.ip,
            names.remote_host,
            names.remote_info,
        )
        self._step(f"rules {settings.rules}", *rooms.rule(found))
        return found.said

    def _limits(self, rule: Instructions) -> bytes | None:
        """The limit that nobody is below; None = the client is within all of them, as far as can be told."""
        of_client = limits.with_variables(self._settings.client_limits, rule.variables)
        excess = limits.exceeded(of_client, Presence(0, 0, 1))
        reply = _lines(excess.message) if excess else ()
        self._step("limits", *rooms.limits(of_client), reply=reply)
        return excess.reason if excess else None

    async def _behind_limits(self, visit: Visit, rule: Instructions) -> Way:
        program = self._settings.program
        for screen in program.screens:
            step, refusal = await screens.screened(screen, visit.environment, self._ask)
            self._steps.append(step)
            if refusal:
                visit = visit._replace(refusal=refusal, screen=screen.log_name)
                if program.gate is None:
                    self._steps += refused(visit, refusal, screen.session_seconds)
                    return self._end(sentence(self._steps))
                break
        if program.gate is None:
            return self._end(f"comes to {program.argv[0]}", visit.environment, rule)
        if program.gate.event_limits:
            self._step("limits of the gate", *rooms.event_limits(program.gate.event_limits))
        steps, stand_in = await at_gate(program.gate, visit, self._ask)
        self._steps += steps
        return self._end(sentence(self._steps, program.argv[0]), stand_in.environment, rule)

    def _step(self, what: str, *found: str, reply: tuple[str, ...] = ()) -> None:
        self._steps.append(Step(what, found, reply=reply))

    def _end(self, verdict: str, environment: dict[bytes, bytes] | None = None, rule: Instructions = DEFAULT) -> Way:
        return Way(tuple(self._steps), verdict, None if environment is None else self._known(environment, rule))

    def _known(self, environment: dict[bytes, bytes], rule: Instructions) -> dict[str, str]:
        """What of an environment does not hang on a connection that there is not, or is said by the rule."""
        by_rule = {name for name, _ in rule.variables}
        parts = (*_UNKNOWN, *(("LOCALIP",) if self._endpoints.local_ip in (b"0.0.0.0", b"::") else ()))
        of_connection = (f"{protocol}{part}".encode() for protocol in ("TCP", "TCP6") for part in parts)
        unknown = {*of_connection, _OF_SESSION} - by_rule
        return {shown(name): shown(value) for name, value in sorted(environment.items()) if name not in unknown}


def _endpoints(settings: ServerSettings, asked: Asked) -> Endpoints:
    any_address = "::" if b":" in asked.ip else "0.0.0.0"
    local = listener.literal(settings.host) or any_address
    port = port_of(settings)
    return Endpoints((any_address if local in ("0.0.0.0", "::") else local).encode(), b"%d" % port, asked.ip, b"0")


def _lines(data: bytes) -> tuple[str, ...]:
    return tuple(map(shown, data.splitlines()))
