"""Restriction lists by chance, the world that they ask about, and who is judged by them."""

import random
from collections.abc import Sequence

from tests.support.nameserver import Records, healthy
from tests.support.smtp_client import Content, Step

#: Clients: one with a name, one without, one whose name leads elsewhere, one in mynetworks.
CLIENTS = ("127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14")
DNS: Records = {
    "11.0.0.127.in-addr.arpa PTR": ["mx.far.example."],
    "13.0.0.127.in-addr.arpa PTR": ["forged.far.example."],
    "forged.far.example A": ["192.0.2.13"],
    "14.0.0.127.in-addr.arpa PTR": ["inside.example.org."],
    "inside.example.org A": ["127.0.0.14"],
    "mx.far.example A": ["127.0.0.11"],
    "far.example MX": ["10 mx.far.example."],
    "far.example NS": ["ns.far.example."],
    "ns.far.example A": ["192.0.2.53"],
    "a-only.example A": ["192.0.2.11"],
    "null.example MX": ["0 ."],
    "fails.example MX": "servfail",
    "fails.example A": "servfail",
    "fails.example AAAA": "servfail",
    "11.0.0.127.bl.example A": ["127.0.0.4"],
    "11.0.0.127.bl.example TXT": ["listed, see http://x.example/"],
    "12.0.0.127.bl.example A": ["127.0.0.2"],
    "11.0.0.127.wl.example A": ["127.0.0.2"],
    "far.example.dbl.example A": ["127.0.1.2"],
    "far.example.dbl.example TXT": ["bad domain"],
    **healthy("bl.example", "wl.example"),
}
#: What is the same in both main.cf: who there is.
MAIN = """\
smtpd_peername_lookup = yes
mydestination = ours.example
relay_domains = relayed.example
virtual_mailbox_domains = virtual.example
virtual_mailbox_maps = inline:{u@virtual.example=x}
local_recipient_maps = inline:{u@ours.example=x, ext@ours.example=x}
relay_recipient_maps = inline:{u@relayed.example=x}
recipient_delimiter = +
mynetworks = 127.0.0.14
smtpd_restriction_classes = greedy, mild
greedy = reject_non_fqdn_sender, warn_if_reject reject_unknown_helo_hostname
mild = permit_mynetworks, defer_if_permit
"""
DOMAINS = ("ours.example", "relayed.example", "virtual.example")
_SIMPLE = """reject_unauth_pipelining reject_multi_recipient_bounce permit_mynetworks permit_sasl_authenticated
    reject_unknown_client_hostname reject_unknown_reverse_client_hostname reject_invalid_helo_hostname
    reject_non_fqdn_helo_hostname reject_unknown_helo_hostname reject_non_fqdn_sender reject_unknown_sender_domain
    reject_unlisted_sender reject_non_fqdn_recipient reject_unknown_recipient_domain reject_unlisted_recipient
    permit_auth_destination reject_unauth_destination defer_unauth_destination defer_if_permit defer_if_reject greedy
    mild permit reject defer"""
_TABLES = {
    "client": "{far.example=REJECT 5.1.8 far}, 127.0.0.12=DEFER, unknown=DUNNO, 127.0.0.14=OK",
    "helo": "pc=REJECT, {far.example=554 5.1.3 far}, b=450, example=greedy",
    "sender": "{far.example=REJECT 5.1.8 dom}, a@far.example=OK, joe@=REJECT, <>=REJECT, {host=DEFER_IF_PERMIT later}",
    "recipient": "u@ours.example=OK, ext@ours.example=DEFER_IF_REJECT, {relayed.example=permit_mynetworks, reject}",
    "host": "{mx.far.example=REJECT 5.1.2 host}, 192.0.2.11=REJECT, {192.0.2=DEFER net}, ns.far.example=OK",
}
_SERVERS = [f"{who}_{kind}" for who in ("helo", "sender", "recipient") for kind in ("mx", "ns", "a")]
_HELOS = "mx.far.example pc 127.0.0.1 [192.0.2.7] a_b.-c nowhere.example null.example fails.example a.b far.example"
_SENDERS = """ a@far.example joe joe@host a@nowhere.example a@null.example a@fails.example a@[192.0.2.1] u@ours.example
    ext+x@far.example a@a-only.example nobody@ours.example"""
_RECIPIENTS = """u@ours.example ext+y@ours.example nobody@ours.example u@other.example u@relayed.example
    no@relayed.example u@virtual.example nobody@virtual.example postmaster u u@null.example
    u%other.example@ours.example"""


def parameters(draw: random.Random) -> tuple[str, ...]:
    """The lists of one server, and how they are judged by."""
    found = [
        *(f"smtpd_{name}_restrictions={_list(draw, 3)}" for name in ("client", "helo", "sender")),
        f"smtpd_data_restrictions={_list(draw, 1)}",
        "smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination",
        f"smtpd_recipient_restrictions={_list(draw, 4)}",
        f"smtpd_delay_reject={draw.choice(['yes', 'yes', 'no'])}",
        f"smtpd_relay_before_recipient_restrictions={draw.choice(['yes', 'no'])}",
        f"soft_bounce={draw.choice(['no', 'no', 'no', 'yes'])}",
        f"smtpd_reject_unlisted_sender={draw.choice(['no', 'yes'])}",
        f"access_map_reject_code={draw.choice([554, 550, 450])}",
    ]
    return tuple(found)


def dialogue(draw: random.Random) -> list[Step]:
    """What one client says."""
    steps: list[Step] = [draw.choice([b"EHLO ", b"HELO "]) + draw.choice(_HELOS.split()).encode()]
    steps.append(b"MAIL FROM:<%b>" % draw.choice([*_SENDERS.split(), ""]).encode())
    steps += [b"RCPT TO:<%b>" % draw.choice(_RECIPIENTS.split()).encode() for _ in range(draw.randint(1, 3))]
    return [*steps, b"DATA", Content(b"Subject: x\r\n\r\nx\r\n.\r\n"), b"RSET", b"QUIT"]


def _list(draw: random.Random, most: int) -> str:
    return ", ".join(_restriction(draw) for _ in range(draw.randint(0, most)))


def _restriction(draw: random.Random) -> str:
    kind = draw.random()
    if kind < 0.5:
        return draw.choice(_SIMPLE.split())
    if kind < 0.7:
        who = draw.choice(["client", "helo", "sender", "recipient"])
        return f"check_{who}_access inline:{{ {_TABLES[who]} }}"
    if kind < 0.8:
        return f"check_{draw.choice(_SERVERS)}_access inline:{{ {_TABLES['host']} }}"
    if kind < 0.95:
        zones: Sequence[str] = (
            *("reject_rbl_client bl.example", "reject_rbl_client bl.example=127.0.0.[2..3]"),
            *("permit_dnswl_client wl.example", "reject_rhsbl_sender dbl.example", "reject_rhsbl_helo dbl.example"),
            "reject_rhsbl_client dbl.example",
        )
        return draw.choice(zones)
    return f"warn_if_reject {_restriction(draw)}"
