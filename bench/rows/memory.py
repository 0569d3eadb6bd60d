"""The row of memory: the idle server, and what stays behind after many clients. Never looks at kernel memory."""

from contenders import Server, standing
from effort import Effort
from findings import Bar, Finding
from workshop import ALLOWED_NET, DENIED_NET, Workshop

_CHUNK = 10_000
#: Clients before the first look, so that what is made once and kept is not taken for growth.
_WARM_UP = 2_000


def memory(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Master and workers with no zones: idle, then after many clients, of whom every other one is denied."""
    with standing(workshop) as servers:
        idle = {name: server.pss() / 1024 for name, server in servers.items()}
        _send(workshop, servers["ours"], _WARM_UP)
        before = servers["ours"].pss()
        _send(workshop, servers["ours"], effort.growth)
        growth = (servers["ours"].pss() - before) / 1024
        processes = len(servers["ours"].family())
    return [
        Finding(
            "memory",
            f"memory idle, {processes} processes, PSS",
            "MB",
            idle["ours"],
            idle["tcpserver"],
            idle.get("tcpsvd"),
            idle["ours"],
            Bar("<=", 40, "MB"),
        ),
        Finding(
            "memory-growth",
            f"  growth over {effort.growth:,} clients",
            "MB",
            growth,
            None,
            None,
            growth,
            Bar("<=", 1, "MB"),
        ),
    ]


def _send(workshop: Workshop, server: Server, clients: int) -> None:
    for done in range(0, clients, _CHUNK):
        half = min(_CHUNK, clients - done) // 2
        for net in (ALLOWED_NET, DENIED_NET):
            workshop.load("eof", server.port, "-n", str(half), "-s", net).complete()
