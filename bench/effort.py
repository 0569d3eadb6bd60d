"""How much of everything: the full measurement, and the quick one that only shows that all of it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Numbers of rounds, clients and rules.

    rounds: for rates. long_rounds: for what takes seconds each. spawn_seconds: for the machine's limit.
    growth: clients between the two looks at the memory. held: refused clients held at once.
    hold_seconds: how long they may take to come in.
    burst: clients that come at once. knocks: good clients, one after the other, that come meanwhile. knock_seconds: how
    long all of them may take.
    sessions: with a recipient that is refused. messages: small ones. large: big ones, of large_bytes each. idle:
    clients that say no more than EHLO. grants: of the ledger. triplets: of the greylist. attempts: to deliver. records:
    of the greylist in a server, 10,000,000 divided by a power of two: so each has as many slots of a hash table.
    policy_triplets: what policy servers remember. requests: to them. lines: of a log. tls_clients: that shake hands.
    tls_idle: those that stay. tls_bytes: of a message within TLS. tls_new_keys: of each client that makes them all the
    time.
    """

    rounds: int
    long_rounds: int
    spawn_seconds: float
    allowed: int
    denied: int
    offered: int
    rules: int
    growth: int
    screened: int
    held: int
    hold_seconds: float
    burst: int
    knocks: int
    knock_seconds: float
    sessions: int
    messages: int
    large: int
    large_bytes: int
    idle: int
    grants: int
    triplets: int
    records: int
    attempts: int
    policy_triplets: int
    requests: int
    lines: int
    tls_clients: int
    tls_idle: int
    tls_bytes: int
    tls_new_keys: int


FULL = Effort(
    rounds=7,
    long_rounds=3,
    spawn_seconds=1.5,
    allowed=5_000,
    denied=20_000,
    offered=10_000,
    rules=300_000,
    growth=200_000,
    screened=3_000,
    held=5_000,
    hold_seconds=12,
    burst=250,
    knocks=1_000,
    knock_seconds=10,
    sessions=5_000,
    messages=3_000,
    large=24,
    large_bytes=30_000_000,
    idle=2_000,
    grants=1_000_000,
    triplets=10_000_000,
    records=156_250,
    attempts=20_000,
    policy_triplets=1_000_000,
    requests=3_000,
    lines=1_000_000,
    tls_clients=2_000,
    tls_idle=5_000,
    tls_bytes=100_000_000,
    tls_new_keys=10_000,
)

QUICK = Effort(
    rounds=1,
    long_rounds=1,
    spawn_seconds=0.3,
    allowed=500,
    denied=2_000,
    offered=500,
    rules=20_000,
    growth=5_000,
    screened=300,
    held=200,
    hold_seconds=2,
    burst=50,
    knocks=20,
    knock_seconds=2,
    sessions=500,
    messages=300,
    large=4,
    large_bytes=3_000_000,
    idle=100,
    grants=10_000,
    triplets=100_000,
    records=9_766,
    attempts=2_000,
    policy_triplets=5_000,
    requests=200,
    lines=20_000,
    tls_clients=200,
    tls_idle=100,
    tls_bytes=3_000_000,
    tls_new_keys=500,
)
