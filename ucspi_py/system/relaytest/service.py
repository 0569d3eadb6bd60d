"""A service tried with one client for each thing that its rules say. Never asks who listens on its port."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from ...core.client.connection import Endpoints, Names, environ
from ...core.gate.tls.settings import GateTls
from ...core.ledger.settings import RelaySettings
from ...core.relaytest import probes
from ...core.relaytest.clients import MOST, Known, Lookups, classes
from ...core.relaytest.probes import Addresses, Probe, address_literal
from ...core.relaytest.trust import Trust, granted, trusted
from ...core.service.settings import Program, ServerSettings
from ...core.smtp.reply import Reply
from ..accept import listener
from ..rules.live import RulesFile
from ..rules.table import Table
from ..supervisor.listeners import port_of
from . import controls, one_user
from .chain import Chain
from .session import answers

#: The port from which it comes: any.
_PORT = b"1025"
#: Where submission is (RFC 6409), and with TLS from the start (RFC 8314, 3.3).
_SUBMISSION, SUBMISSIONS = 587, 465
#: Variables of an operator's shell that no server would hand on as a client's.
_OF_CLIENTS = (b"TCP", b"RELAY", b"RBLSMTPD", b"GREYLIST", b"CHANNEL")


class Tried(NamedTuple):
    """A client that was tried. trust: why it may relay. replies: to its probes; none at all where a rule denies it."""

    known: Known
    trust: Trust
    replies: tuple[tuple[Probe, Reply | None], ...]


class _Visit(NamedTuple):
    known: Known
    trust: Trust
    environment: dict[bytes, bytes]


class Found(NamedTuple):
    """A service that was tried. keeps: no mailbox of its own is sent on. warnings: of its gate, about its files."""

    tried: tuple[Tried, ...]
    keeps: bool
    warnings: tuple[bytes, ...]


def test(settings: ServerSettings, addresses: Addresses, user: bytes | None = None) -> Found:
    """Start the program of a service for each class of its clients, and ask it about probes.

    addresses: None in place of one's own = look for it. user: who logs in; None = whose address one's own is. Raises
    Failure where a file cannot be read or the program cannot be started.
    """
    return asyncio.run(_test(settings, addresses, user))


async def _test(settings: ServerSettings, addresses: Addresses, user: bytes | None) -> Found:
    domain = controls.own_domain(settings.program)
    own = addresses.own or (None if domain is None else b"postmaster@" + domain)
    local = _local(settings)
    addresses = Addresses(own, addresses.elsewhere, address_literal(local))
    login = one_user.login(user or own or b"relaytest")
    chain = Chain(_program(settings), login)
    tried = []
    for visit in _visits(settings, local, takes_logins=chain.takes_logins):
        wanted = () if visit.known.said.deny else _probes(settings, addresses, visit.trust)
        connect = partial(chain.connected, visit.environment)
        found = await answers(connect, wanted, login if visit.trust is Trust.LOGIN else None)
        tried.append(Tried(visit.known, visit.trust, tuple((probe, found.get(probe)) for probe in wanted)))
    await chain.end()
    keeps = controls.keeps(settings.program, None if own is None else own.rpartition(b"@")[2])
    return Found(tuple(tried), keeps, tuple(chain.warnings))


def _program(settings: ServerSettings) -> Program:
    """What is started; TLS of the server is TLS of its gate."""
    program = settings.program
    if program.gate is None or settings.tls is None:
        return program
    return replace(program, gate=replace(program.gate, tls=GateTls(settings.tls, wrapper_mode=True)))


def _visits(settings: ServerSettings, local: bytes, *, takes_logins: bool) -> Iterator[_Visit]:
    """Yield who is tried; the stranger once more with a grant, where the service asks a ledger, and with a login."""
    program = settings.program
    networks = program.gate.mynetworks if program.gate else ()
    ledger = next((one for one in program.screens if isinstance(one, RelaySettings)), None)
    for known in islice(_classes(settings), MOST):
        environment = _environment(settings, known, local)
        yield _Visit(known, trusted(known, environment, networks), environment)
        if (
            known.is_stranger
            and not known.said.deny
            and ledger
            and (changes := granted(environment, ledger)) is not None
        ):
            yield _Visit(known, Trust.GRANTED, environment | changes)
        if known.is_stranger and not known.said.deny and takes_logins:
            yield _Visit(known, Trust.LOGIN, environment)


def _classes(settings: ServerSettings) -> Iterator[Known]:
    gate = settings.program.gate
    networks = gate.mynetworks if gate else ()
    if settings.rules is None:
        return classes((), lambda _key: None, Lookups(False, False), networks)
    get = RulesFile(settings.rules, settings.allow_no_rules).current()
    records = Table(settings.rules).records() if os.path.exists(settings.rules) else iter(())
    return classes(records, get, Lookups(settings.remote_host, settings.remote_info), networks)


def _environment(settings: ServerSettings, known: Known, local: bytes) -> dict[bytes, bytes]:
    base = {name: value for name, value in os.environb.items() if not name.startswith(_OF_CLIENTS)}
    port = b"%d" % port_of(settings)
    names = Names(settings.local_name or None, known.client.host, known.client.info)
    return environ(base, Endpoints(local, port, known.client.ip, _PORT), names, known.said.variables)


def _probes(settings: ServerSettings, addresses: Addresses, trust: Trust) -> tuple[Probe, ...]:
    if trust is not Trust.NONE:
        return probes.of_trusted(addresses)
    return probes.of_stranger(addresses, is_submission=is_submission(port_of(settings)))


def is_submission(port: int) -> bool:
    """Whether a port is one on which nobody sends without a login (RFC 6409, 4.3)."""
    return port in (_SUBMISSION, SUBMISSIONS)


def _local(settings: ServerSettings) -> bytes:
    """The address under which the service is reached: the host's own where it listens on all of them."""
    local = listener.literal(settings.host)
    return b"127.0.0.1" if local in (None, "0.0.0.0", "::") else local.encode()
