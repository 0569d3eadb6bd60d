"""The row of clients that say EHLO to the gate and no more: what each costs. Never looks at kernel memory."""

import gates
from effort import Effort
from findings import Bar, Finding
from workshop import Workshop

#: As many as may have a backend at once.
_SLOTS = 40


def idle(workshop: Workshop, effort: Effort) -> list[Finding]:
    """Kilobytes for each, and whether every slot is left for who has a message."""
    kilobytes = {}
    for name, limit in (("ours", _SLOTS), ("tcpserver", effort.idle + 100)):
        with gates.standing(workshop, (name,), limit=limit) as servers:
            port = servers[name].port
            workshop.load("message", port, "-n", str(effort.messages)).all_served()
            before = servers[name].pss()
            crowd = ("-n", str(effort.idle))
            with workshop.holding(port, *crowd, patience=effort.hold_seconds, mode="idle") as held:
                kilobytes[name] = (servers[name].pss() - before) / held.all_served().served
                if name == "ours":
                    lost = _lost(workshop, port, effort)
    return [
        Finding(
            "gate-idle",
            f"gate: {effort.idle:,} idle behind EHLO, PSS each",
            "KB",
            kilobytes["ours"],
            kilobytes["tcpserver"],
            None,
            kilobytes["ours"],
            Bar("<=", 10, "KB"),
        ),
        Finding(
            "gate-idle-slots",
            f"  messages meanwhile, {_SLOTS} at a time, -c {_SLOTS}",
            "lost",
            lost,
            None,
            None,
            lost,
            Bar("<=", 0, "lost"),
        ),
    ]


def _lost(workshop: Workshop, port: int, effort: Effort) -> int:
    load = workshop.load("message", port, "-n", str(effort.messages), "-c", str(_SLOTS))
    return load.clients - load.served
