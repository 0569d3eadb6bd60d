"""The addresses of this host."""

import ipaddress
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.programs import need_root, theirs
from ucspi_py.system.process.interfaces import host_addresses

_PRINT = "from ucspi_py.system.process.interfaces import host_addresses; print(b' '.join(host_addresses()).decode())"
_FURNISH = "ip link set lo up && ip addr add 192.0.2.1 peer 192.0.2.9 dev lo && ip addr add 2001:db8::1/64 dev lo"


def test_they_are_those_that_the_kernel_takes_packets_for() -> None:
    """As its tables of routes have them."""
    lines = [line.strip() for line in Path("/proc/net/fib_trie").read_text().splitlines()]
    expected = {above.split()[-1].encode() for above, line in pairwise(lines) if line == "/32 host LOCAL"}
    for line in Path("/proc/net/if_inet6").read_text().splitlines():
        expected.add(str(ipaddress.ip_address(bytes.fromhex(line[:32]))).encode())

    assert set(host_addresses()) == expected


def test_of_a_link_between_two_only_one_is_ours() -> None:
    """The other one's address is another host."""
    need_root()
    theirs("ip")
    script = f'{_FURNISH} && exec "$@"'
    words = (theirs("unshare"), "-n", "sh", "-c", script, "sh", sys.executable, "-c", _PRINT)

    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    if "unshare failed" in done.stderr:
        pytest.skip("no network namespaces here")
    found = set(done.stdout.split())
    assert {"127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"} <= found, done.stderr
    assert "192.0.2.9" not in found
