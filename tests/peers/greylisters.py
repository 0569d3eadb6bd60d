"""What greylisters do with requests: Debian's postgrey, and pypostgrey over a store."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.postgrey import Postgrey, packed
from ucspi_py.core.client.limits import NETWORK, Prefixes
from ucspi_py.core.greylist.triplet.settings import TripletSettings
from ucspi_py.core.policy.request import Garbage, RequestReader
from ucspi_py.core.postgrey.settings import ACTION, Answering
from ucspi_py.system.postgrey.answering import Answers as PolicyAnswers
from ucspi_py.system.report.log import VERBOSE, Log
from ucspi_py.system.report.nonblocking import Write

from .attempts import CLIENTS, DELAY, RECIPIENTS, WINDOW, Request

_TEXT, _HEADER = "Greylisted for %s by %r", "X-Greylist: delayed %t seconds"
#: postgrey forgets at night, and by another clock than that of the requests: so nobody is to forget anything.
_DAYS = 3650


#: What postgrey logs of an answer, before it tells of whom.
_LINE = re.compile("action=(.*?)(?:, client_name=|, client_address=|$)")


class Answers(NamedTuple):
    """What was done. actions: for Postfix, each with its reason in the log. listed: clients that wait no more."""

    actions: list[tuple[str, str]]
    listed: int


def whitelists(folder: Path) -> tuple[str, str]:
    """Write those of the clients and of the recipients -> their paths."""
    clients, recipients = folder / "clients", folder / "recipients"
    clients.write_text(CLIENTS)
    recipients.write_text(RECIPIENTS)
    return str(clients), str(recipients)


def options(clients: str, recipients: str, *more: str) -> tuple[str, ...]:
    """Those of postgrey, so that its texts show what it counts, and more."""
    texts = (f"--greylist-text={_TEXT}", f"--x-greylist-header={_HEADER}")
    times = (f"--delay={DELAY}", f"--retry-window={WINDOW // 3600}h", f"--max-age={_DAYS}")
    return (*texts, *times, f"--whitelist-clients={clients}", f"--whitelist-recipients={recipients}", *more)


def settings(
    store: Path, clients: str, recipients: str, network: Prefixes = NETWORK, enough: int = 5
) -> TripletSettings:
    """Ours, which say the same. enough: passes of a client; 0 = there are never enough."""
    return TripletSettings(
        str(store),
        delay=DELAY,
        retry_window=WINDOW,
        max_age=_DAYS * 86400,
        network=network,
        auto_whitelist_clients=enough,
        counts_networks=False,
        spares=False,
        whitelist_clients=(clients,),
        whitelist_recipients=(recipients,),
        text=_TEXT.encode(),
        header=_HEADER.encode(),
    )


def postgrey_answers(peer: Postgrey, requests: Sequence[Request]) -> Answers:
    """What postgrey does."""
    before = len(peer.said())
    actions = [peer.ask(attributes(number, request)) for number, request in enumerate(requests)]
    said = peer.said()[before:].splitlines()
    lines = [found[1] for found in map(_LINE.match, said) if found]
    return Answers(list(zip(actions, lines, strict=True)), sum(line.startswith("whitelisted:") for line in said))


def attributes(number: int, request: Request) -> Mapping[str, str]:
    """A request as Postfix asks it, each of another message."""
    ip, name, _, sender, recipient = (value.decode("latin-1") for value in request.attempt)
    about = {"client_address": ip, "client_name": name, "sender": sender, "recipient": recipient}
    return about | {"instance": str(number), "policy_test_time": str(request.time)}


def our_answers(ours: TripletSettings, requests: Sequence[Request]) -> Answers:
    """What pypostgrey does, which is asked as postgrey is."""
    return asyncio.run(_asked(Answering(ours, ACTION, b"", b""), requests))


async def _asked(asked: Answering, requests: Sequence[Request]) -> Answers:
    now, said, actions = 0, list[str](), list[tuple[str, str]]()
    server = PolicyAnswers(asked, Log(VERBOSE, _writer(said)), clock=lambda: now)
    await server.open()
    reader = RequestReader()
    for number, request in enumerate(requests):
        now = request.time
        (read,) = reader.receive(packed(attributes(number, request)).encode("latin-1"))
        assert not isinstance(read, Garbage)
        action = (await server.answer(read)).decode("latin-1")
        found = _LINE.match(said[-1])
        assert found, said[-1]
        actions.append((action, found[1]))
    await server.close()
    return Answers(actions, sum(line.startswith("whitelisted:") for line in said))


def _writer(said: list[str]) -> Write:
    def write(data: bytes) -> int:
        said.extend(data.decode("latin-1").splitlines())
        return len(data)

    return write
