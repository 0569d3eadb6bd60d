#!/usr/bin/env python3
"""The measurement: ours beside C on the same work, in turns, as a table of ratios and as JSON.

Run with the Python of the environment in which ucspi_py is installed:

    python3 bench/run.py [--quick] [--rows allowed,denied] [--pairs N] [--json FILE]

It speaks and keeps the order; the rows measure, the workshop and the contenders help them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import findings
import machine
import postfix
import tls_servers
import workshop
import zones
from effort import FULL, QUICK, Effort
from findings import Finding
from rows import (
    burst,
    fleet,
    front,
    gate_checks,
    gate_content,
    gate_greylist,
    gate_idle,
    gate_logins,
    gate_milter,
    gate_rspamd,
    gate_session,
    ledger,
    log_forms,
    memory,
    metrics,
    policy,
    proxied,
    records,
    rules,
    screen,
    silent,
    summary,
    tls,
    triplets,
)

from ucspi_py.system.process import orphans

Row = Callable[[workshop.Workshop, Effort], list[Finding]]

ROWS: dict[str, Row] = {
    "allowed": front.allowed,
    "denied": front.denied,
    "offered": front.offered,
    "proxied": proxied.headers,
    "metrics": metrics.counting,
    "json": log_forms.json,
    "rules": rules.compiling,
    "memory": memory.memory,
    "clean-warm": screen.clean_warm,
    "clean-new": screen.clean_new,
    "listed": screen.listed,
    "silent": silent.silent_zone,
    "burst": burst.burst,
    "held-memory": screen.held_memory,
    "held-banner": screen.held_banner,
    "gate-refused": gate_session.refused,
    "gate-message": gate_session.message,
    "gate-lists": gate_session.lists,
    "gate-large": gate_content.large,
    "gate-idle": gate_idle.idle,
    "gate-busy": gate_content.busy,
    "gate-checks": gate_checks.checks,
    "gate-logins": gate_logins.logins,
    "gate-greylist": gate_greylist.greylist,
    "gate-milter": gate_milter.milters,
    "gate-rspamd": gate_rspamd.rspamd,
    "policy": policy.requests,
    "ledger": ledger.lookups,
    "fleet": fleet.lookups,
    "triplets": triplets.triplets,
    "records": records.records,
    "summary": summary.summing_up,
    "tls-handshake": tls.handshakes,
    "tls-idle": tls.idle,
    "tls-large": tls.large,
    "tls-stall": tls.stalls,
}
#: Rows that cannot be had everywhere: they ask why not first.
NEEDS: dict[str, Callable[[], str | None]] = (
    dict.fromkeys(
        ("clean-warm", "clean-new", "listed", "silent", "burst", "held-memory", "held-banner"), zones.obstacle
    )
    | dict.fromkeys(("gate-refused", "gate-message", "gate-lists"), postfix.obstacle)
    | {"gate-rspamd": gate_rspamd.obstacle, "policy": policy.obstacle, "tls-handshake": tls_servers.obstacle}
)


def main() -> int:
    """Measure and print; 111 where a row could not be measured, 0 otherwise, whatever the bars say."""
    options = _options()
    effort = QUICK if options.quick else FULL
    if options.pairs:
        effort = replace(effort, rounds=options.pairs, long_rounds=options.pairs)
    facts = machine.facts()
    print(*(f"{name} {value}" for name, value in facts.items()), sep=", ")
    orphans.adopt()
    quiet = machine.Quiet()
    try:
        found, skipped, spoiled = _measure(options.rows, effort)
    except workshop.Spoiled as reason:
        print(f"bench: fatal: {reason}", file=sys.stderr)
        return 111
    others = quiet.others()
    print(f"others took {others:.0%} of the processors meanwhile")
    below = findings.below(found)
    print(f"below the bar: {', '.join(below)}" if below else "no row below its bar")
    if options.json:
        rows = [finding.as_json() for finding in found]
        document = {
            "machine": facts,
            "others": round(others, 3),
            "quick": options.quick,
            "rows": rows,
            "skipped": skipped,
            "spoiled": spoiled,
        }
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 111 if spoiled else 0


def _measure(names: list[str], effort: Effort) -> tuple[list[Finding], dict[str, str], dict[str, str]]:
    """Every finding, printed as it comes; the rows that cannot be had here, and those that went wrong, with reasons."""
    found: list[Finding] = []
    skipped, spoiled = {}, {}
    with workshop.opened() as shop:
        if shop.ipsvd_rules is None:
            print("tcpsvd (Debian's ipsvd) is not installed: its column is left out")
        print(findings.heading(shop.ipsvd_rules is not None))
        for name in names:
            if name in NEEDS and (obstacle := NEEDS[name]()):
                skipped[name] = obstacle
                print(f"{name}: skipped, {obstacle}")
                continue
            try:
                fresh = ROWS[name](shop, effort)
            except (workshop.Spoiled, subprocess.SubprocessError) as reason:
                spoiled[name] = str(reason)
                print(f"{name}: spoiled, {reason}")
                continue
            found += fresh
            print(*(findings.line(finding) for finding in fresh), sep="\n", flush=True)
    return found, skipped, spoiled


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure ucspi_py beside tcpserver, tcpsvd and Postfix.")
    parser.add_argument("--quick", action="store_true", help="small numbers: shows that all works, not how fast")
    parser.add_argument("--rows", type=_row_names, default=list(ROWS), help=f"some of {','.join(ROWS)}")
    parser.add_argument("--pairs", type=int, help="rounds for every row")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there, too")
    return parser.parse_args()


def _row_names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
