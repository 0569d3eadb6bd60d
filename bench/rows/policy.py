"""The rows of pypostgrey: policy requests in a second beside Debian's postgrey, each with as many triplets."""

import itertools
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from contenders import ours
from effort import Effort
from findings import Bar, Finding
from policy_load import Answered, answered
from rounds import interleaved
from workshop import Spoiled, Workshop, needed

_CONNECTIONS = 20
_PATIENCE = 60.0
#: Processes of ours, and how many times as many requests as postgrey answers they have to answer.
_BARS = {1: 1.0, 2: 1.5}
_PEER = 0
_US = ("--user=root", "--group=root")


def obstacle() -> str | None:
    """Why the rows cannot be had here; None = they can."""
    missing = [name for name in ("postgrey", "db5.3_load") if not shutil.which(name, path="/usr/sbin:/usr/bin")]
    return f"{missing[0]} is not installed" if missing else None


def requests(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Answers in a second and the slowest of a hundred, half of triplets that are known, half of new ones."""
    with tempfile.TemporaryDirectory(prefix="policy-", dir=workshop.folder) as name, ExitStack() as stack:
        folder = Path(name)
        dump = folder / "dump"
        dump.write_text("".join(_dump(effort.policy_triplets)))
        paths = {_PEER: stack.enter_context(_postgrey(folder, dump))}
        ready = _imported(folder, dump)
        paths |= {number: stack.enter_context(_pypostgrey(ready, number)) for number in _BARS}
        asked = {server: _asked(effort.policy_triplets, server) for server in paths}
        for server, path in paths.items():
            answered(path, _CONNECTIONS, asked[server], effort.requests // 2)  # warm
        measures = {
            server: partial(answered, path, _CONNECTIONS, asked[server], effort.requests)
            for server, path in paths.items()
        }
        found = interleaved(effort.rounds, measures)
    return [_finding(number, found, effort) for number in _BARS]


def _finding(processes: int, found: Mapping[int, list[Answered]], effort: Effort) -> Finding:
    rate, theirs = (median(one.rate for one in found[name]) for name in (processes, _PEER))
    slow, their_slow = (median(one.p99 for one in found[name]) for name in (processes, _PEER))
    ratio = median(one.rate / other.rate for one, other in zip(found[processes], found[_PEER], strict=True))
    work = f"policy requests, {effort.policy_triplets:,} triplets, processes: {processes}"
    note = f"postgrey {theirs:.0f}; 99 of 100 within {slow:.1f} ms, postgrey's {their_slow:.1f}"
    return Finding(
        f"policy-{processes}", work, "/s", rate, None, None, ratio, Bar(">=", _BARS[processes], "", "postgrey"), note
    )


def _dump(number: int) -> Iterator[str]:
    """What db5.3_dump would print of so many triplets that have passed."""
    now = int(time.time())
    yield "VERSION=3\nformat=print\ntype=btree\nHEADER=END\n"
    for key in sorted(map(_key, range(number))):
        yield f" {key}\n {now - 4000},{now - 3000}\n"
    yield "DATA=END\n"


def _key(number: int) -> str:
    return "{}/{}/{}".format(_network(number) + ".0", *_addresses(number))


def _network(number: int) -> str:
    return f"10.{number % 200}.{number // 200 % 200}"


def _addresses(number: int) -> tuple[str, str]:
    return f"sender-s{number}x@customer.example", f"user-u{number % 997}x@bench.example"


def _asked(known: int, seed: int) -> Iterator[bytes]:
    """Requests without end: of known triplets and of new ones in turns. known: how many there are."""
    chance = random.Random(seed)  # noqa: S311  the same requests each time
    for number in itertools.count(known):
        yield _request(chance.randrange(known))
        yield _request(number + seed * 100_000_000)


def _request(number: int) -> bytes:
    sender, recipient = _addresses(number)
    return (
        f"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nclient_address={_network(number)}.7\n"
        f"client_name=mail{number}.customer.example\nreverse_client_name=mail{number}.customer.example\n"
        f"helo_name=mail{number}.customer.example\nsender={sender}\nrecipient={recipient}\nrecipient_count=0\n"
        f"queue_id=\ninstance=1f3.{number}.0\nsize=4711\netrn_domain=\nstress=\nsasl_method=\nsasl_username=\n"
        "sasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"
        "encryption_protocol=\nencryption_cipher=\nencryption_keysize=0\npolicy_context=\n\n"
    ).encode()


@contextmanager
def _postgrey(folder: Path, dump: Path) -> Iterator[str]:
    place = folder / "postgrey"
    place.mkdir()
    subprocess.run([needed("db5.3_load"), "-f", str(dump), str(place / "postgrey.db")], check=True)
    command = [needed("postgrey"), f"--unix={place}/socket", f"--dbdir={place}", *_US]
    with _running(command, place) as path:
        yield path


def _imported(folder: Path, dump: Path) -> Path:
    place = folder / "imported"
    place.mkdir()
    command = [ours("pypostgrey"), *_US, f"--dbdir={place}", "--import", str(dump)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return place


@contextmanager
def _pypostgrey(ready: Path, processes: int) -> Iterator[str]:
    place = Path(shutil.copytree(ready, ready.with_name(f"pypostgrey-{processes}")))
    command = [ours("pypostgrey"), *_US, f"--unix={place}/socket", f"--dbdir={place}", f"--processes={processes}"]
    with _running(command, place) as path:
        yield path


@contextmanager
def _running(command: list[str], place: Path) -> Iterator[str]:
    """A server with its log in a file, and the path of its socket."""
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until = time.monotonic() + _PATIENCE
        while not (place / "socket").exists():
            if process.poll() is not None or time.monotonic() > until:
                raise Spoiled(f"{command[0]} does not listen: {(place / 'log').read_text()[-200:]}")
            time.sleep(0.01)
        time.sleep(0.5)
        yield f"{place}/socket"
    finally:
        process.terminate()
        process.wait(_PATIENCE)
