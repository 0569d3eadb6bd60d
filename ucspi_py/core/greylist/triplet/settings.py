"""What the operator asked of greylisting by triplet, frozen. Never says where it came from and never acts on it."""

from dataclasses import dataclass

from ...client.limits import NETWORK, Prefixes
from ...store.size import DEFAULT

#: postgrey's own texts but for its address in the web, which a site's users have nothing to do with.
TEXT = b"Greylisted, try again in %s seconds"
HEADER = b"X-Greylist: delayed %t seconds by postgrey-%v at %h; %d"


@dataclass(frozen=True, slots=True)
class TripletSettings:
    """How triplets are greylisted; the defaults are postgrey's.

    store: path of an SQLite file, or a redis:, rediss: or unix: URL. delay: seconds from the first attempt until it is
    let in. retry_window: seconds within which the first retry has to come. max_age: seconds since it was last let in
    until a triplet or a client is forgotten. network: the prefixes that make clients one; 32 and 128 = each address is
    its own (--lookup-by-host). by_name: clients of one organisation are one, where their names say so.
    auto_whitelist_clients: passes of a client, an hour apart, after which it waits no more; 0 = it always may have to.
    counts_networks: these are counted by network, else by address, as postgrey does. spares: whether the null sender,
    postmaster and abuse never wait, whatever the files say. whitelist_clients, whitelist_recipients: files, in
    postgrey's language. text: what a client is told; %s = seconds left, %r = domain of the recipient. header: of a
    message that had to wait; %t = seconds, %v = our version, %h = our name, %d = the date. max_size: bytes that a store
    in a file may have.
    """

    store: str
    delay: int = 300
    retry_window: int = 2 * 86400
    max_age: int = 35 * 86400
    network: Prefixes = NETWORK
    by_name: bool = False
    auto_whitelist_clients: int = 5
    counts_networks: bool = True
    spares: bool = True
    whitelist_clients: tuple[str, ...] = ()
    whitelist_recipients: tuple[str, ...] = ()
    text: bytes = TEXT
    header: bytes = HEADER
    max_size: int = DEFAULT
