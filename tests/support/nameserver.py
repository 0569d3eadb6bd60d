"""A name server that answers as told, as a process of its own: run as a module, or started by running().

It serves records from a JSON file: {"name type": [values] or a fault}. A fault is a string: servfail, refused, silent,
truncated (full answer over TCP), garbage, wrong-id, wrong-name. Names that are not in the file do not exist.
"""

import json
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[str, Sequence[str] | str]


@contextmanager
def running(records: Records, folder: Path, *, port: int = 0) -> Iterator[str]:
    """Serve ``records``; gives ``ip@port`` (or the bare ip for port 53, which only root can have)."""
    file = folder / f"records-{random.randrange(10**9)}.json"
    file.write_text(json.dumps(records))
    ip = f"127.{random.randrange(1, 250)}.{random.randrange(250)}.{random.randrange(1, 250)}"
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.nameserver", str(file), ip, str(port)],
        stdout=subprocess.PIPE,
        cwd=root,
        text=True,
    )
    try:
        assert process.stdout is not None
        chosen = int(process.stdout.readline())
        yield ip if chosen == 53 else f"{ip}@{chosen}"
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _answer(packet: bytes, records: Records, tcp: bool) -> bytes | None:
    query = dns.message.from_wire(packet)
    question = query.question[0]
    told = records.get(f"{question.name.to_text().rstrip('.')} {dns.rdatatype.to_text(question.rdtype)}")
    response = dns.message.make_response(query, recursion_available=True)
    if isinstance(told, str):
        if told == "truncated" and tcp:
            told = ["over TCP"]
        else:
            return _fault(told, response)
    if told is None:
        known = any(name.split()[0] == question.name.to_text().rstrip(".") for name in records)
        response.set_rcode(dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN)
        return response.to_wire()
    values = [json.dumps(v) if question.rdtype == dns.rdatatype.TXT and not v.startswith('"') else v for v in told]
    for value in values:  # one set for each: dnspython shuffles the records of a set
        response.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, value))
    return response.to_wire(max_size=65535)


def _fault(fault: str, response: dns.message.Message) -> bytes | None:
    if fault == "silent":
        return None
    if fault == "garbage":
        return os.urandom(40)
    if fault == "wrong-id":
        response.id ^= 0x5555
    elif fault == "wrong-name":
        response.question[0].name = dns.name.from_text("other.example.")
    elif fault == "truncated":
        response.flags |= dns.flags.TC
    else:
        response.set_rcode(dns.rcode.from_text(fault))
    return response.to_wire()


def _serve_tcp(listener: socket.socket, records: Records) -> None:
    while True:
        client, _ = listener.accept()
        with client, client.makefile("rwb") as stream:
            size = int.from_bytes(stream.read(2), "big")
            answer = _answer(stream.read(size), records, True)
            if answer:
                stream.write(len(answer).to_bytes(2, "big") + answer)


def _main(file: str, ip: str, port: str) -> None:
    records: Records = json.loads(Path(file).read_text())
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ip, int(port)))
    tcp = socket.create_server(udp.getsockname())
    threading.Thread(target=_serve_tcp, args=(tcp, records), daemon=True).start()
    print(udp.getsockname()[1], flush=True)
    while True:
        packet, client = udp.recvfrom(4096)
        answer = _answer(packet, records, False)
        if answer:
            udp.sendto(answer, client)


if __name__ == "__main__":
    _main(*sys.argv[1:])
