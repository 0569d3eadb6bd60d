"""Restriction lists by chance: every restriction that there is, with tables of every kind that say everything."""

import random
from collections.abc import Iterator, Mapping, Sequence

from ucspi_py.core.gate.restrictions.names import NEEDS, OLD_NAMES, Needs

from .tables import Tables

CLASSES = ("first", "second", "third")
_KEYS: Mapping[str, Sequence[str]] = {
    "client": str.split(
        """far.example mx.far.example .far.example example 127.0.0.12 127.0.0 127 unknown inside.example.org
            127.0.0.11 forged.far.example localhost lost.far.example"""
    ),
    "helo": str.split("pc mx.far.example far.example .far.example example [192.0.2.7] 127.0.0.1 null.example b"),
    "sender": str.split(
        """far.example a@far.example joe@ <> host .example ext@far.example ext+x@far.example u@ours.example
            ours.example nowhere.example a@ example"""
    ),
    "recipient": str.split(
        """u@ours.example ext@ours.example ours.example relayed.example .relayed.example u@ ext+y@ nobody@
            u@sub.relayed.example virtual.example alias.example ext+y@ours.example example"""
    ),
    "host": str.split(
        """mx.far.example far.example 192.0.2.11 192.0.2 192.0.2.53 ns.far.example 127.0.0.11 127 example
            mx.example.org .far.example"""
    ),
}
_NETWORKS = ("127.0.0.0/28", "127.0.0.12", "0.0.0.0/0", "192.0.2.0/24", "!127.0.0.11", "127.0.0.11", "192.0.2.11/32")
_SUBJECTS = {"reverse_client_hostname": "client", "etrn": "recipient", "sasl": "sender", "ccert": "sender"}
_ACTIONS = r"""OK|ok|RELAY|DUNNO|dunno|1|250|REJECT|reject|REJECT no, thanks|REJECT 5.1.8 far|REJECT 5.1.2 near|DEFER
DEFER 4.1.3 late|DEFER_IF_PERMIT|DEFER_IF_PERMIT perhaps|DEFER_IF_PERMIT 4.1.1 perhaps|DEFER_IF_REJECT
DEFER_IF_REJECT 4.1.8 not yet|INFO seen|WARN beware|PREPEND X-Seen: yes|DISCARD|DISCARD gone|550 no|550 5.1.1 nobody
450 4.2.1 full|451 busy|554 5.1.6 moved|421 4.7.0 go away|521 5.7.1 never|permit|reject|defer|permit_mynetworks, reject
reject_unknown_client_hostname|permit_auth_destination, reject|reject_unauth_destination, permit
warn_if_reject reject, defer_if_permit|reject_non_fqdn_sender reject_unknown_sender_domain
reject_rbl_client bl.example=127.0.0.[2;4]|permit_sasl_authenticated|REJECT\t5.7.1 tab|REJECT   5.1.8   blanks|550\tno
550 4.7.1 odd|451 5.7.1 odd|DEFER_IF_PERMIT 5.1.8 odd|BOUNCE|nonsense|check_client_access"""
_VALUES = _ACTIONS.replace("\n", "|").replace(r"\t", "\t").split("|")
_ZONES = {
    "client": str.split(
        """bl.example bl.example=127.0.0.2 bl.example=127.0.0.[2;4] bl.example=127.0.0.[2..3;10] sick.example
            bl.example=127.0.[0..1].4 nowhere.example"""
    ),
    "name": str.split("dbl.example dbl.example=127.0.1.[2;3] dbl.example=127.0.1.4 sick.example nowhere.example"),
}
_CODES = str.split(
    """access_map_defer_code access_map_reject_code defer_code invalid_hostname_reject_code
        maps_rbl_reject_code multi_recipient_bounce_reject_code non_fqdn_reject_code plaintext_reject_code
        reject_code relay_domains_reject_code unknown_address_reject_code unknown_client_reject_code
        unknown_hostname_reject_code unknown_local_recipient_reject_code unknown_relay_recipient_reject_code
        unknown_virtual_alias_reject_code unknown_virtual_mailbox_reject_code"""
)
_YES_NO = str.split(
    """smtpd_reject_unlisted_sender smtpd_reject_unlisted_recipient
        smtpd_relay_before_recipient_restrictions smtpd_helo_required strict_rfc821_envelopes"""
)
_LIMITS = {
    "smtpd_hard_error_limit": [1000, 1000, 1000, 5, 3],
    "smtpd_junk_command_limit": [100, 100, 2],
    "smtpd_recipient_limit": [1000, 1000, 2],
    "smtpd_recipient_overshoot_limit": [1000, 1],
}
#: In other lists than the sender's Postfix 3.7 does it once, and forgets about that only when a sender list is begun.
_OF_SENDERS = "reject_unlisted_sender"
_ELSEWHERE = ("warn_if_reject", "check_channel_access", _OF_SENDERS)
_SAFE = "reject_unauth_destination"


class Lists:
    """Makes the lists of one world. draw: by whose chance. tables: those of the world."""

    def __init__(self, draw: random.Random, tables: Tables) -> None:
        self._draw = draw
        self._tables = tables

    def classes(self) -> str:
        """Lines of main.cf: restriction classes, of which each may have those before it."""
        lines = [f"smtpd_restriction_classes = {', '.join(CLASSES)}\n"]
        for place, name in enumerate(CLASSES):
            inner = ", ".join(self._restriction(CLASSES[:place]) for _ in range(self._draw.randint(1, 3)))
            lines.append(f"{name} = {inner}\n")
        return "".join(lines)

    def parameters(self, level: str) -> tuple[str, ...]:
        """The lists of one server, and how they are judged by. level: its compatibility_level."""
        draw = self._draw
        found = {f"smtpd_{name}_restrictions": self._list(draw.randint(0, 4)) for name in ("client", "helo")}
        found["smtpd_sender_restrictions"] = self._list(draw.randint(0, 3), then=draw.choice(["", "", _OF_SENDERS]))
        for name in ("data", "end_of_data"):
            found[f"smtpd_{name}_restrictions"] = self._list(draw.choice([0, 0, 1, 2]), bare=False)
        found |= self._relay(level)
        found["smtpd_delay_reject"] = draw.choice(["yes", "yes", "no"])
        found["soft_bounce"] = draw.choice(["no", "no", "no", "yes"])
        found["smtpd_forbid_bare_newline"] = draw.choice(["reject", "normalize"])
        found["smtpd_forbid_unauth_pipelining"] = draw.choice(["yes", "no"])
        found |= {name: str(draw.choice(limits)) for name, limits in _LIMITS.items()}
        found |= {name: draw.choice(["yes", "no"]) for name in _YES_NO if draw.random() < 0.2}
        found |= {name: str(draw.choice([450, 451, 550, 554])) for name in _CODES if draw.random() < 0.1}
        for name in ("reject", "unknown_address", "unknown_helo_hostname"):
            if draw.random() < 0.2:
                found[f"{name}_tempfail_action"] = draw.choice(["defer", "defer_if_permit"])
        if draw.random() < 0.1:
            found["smtpd_null_access_lookup_key"] = "joe@"
        return tuple(f"{name}={value}" for name, value in found.items())

    def _relay(self, level: str) -> dict[str, str]:
        """Both lists by which Postfix knows that a stranger cannot relay; it does not start with others."""
        draw = self._draw
        of_relay: str | None = draw.choice([None, "", f"permit_mynetworks, {_SAFE}", self._list(1, then=_SAFE)])
        of_recipient = self._list(draw.randint(0, 4))
        if of_relay == "" or (of_relay is None and level in ("", "0")):
            of_recipient = self._list(draw.randint(0, 3), then=draw.choice([_SAFE, "defer_unauth_destination"]))
        found = {} if of_relay is None else {"smtpd_relay_restrictions": of_relay}
        return found | {"smtpd_recipient_restrictions": of_recipient}

    def _list(self, count: int, *, then: str = "", bare: bool = True) -> str:
        found = [self._restriction(CLASSES, bare=bare) for _ in range(count)]
        # Behind permit a relay check is none for Postfix, too.
        return ", ".join([*(one for one in found if one.lower() != "permit"), then] if then else found)

    def _restriction(self, classes: Sequence[str], *, bare: bool = False) -> str:
        draw = self._draw
        kind = draw.random()
        if kind < 0.06:
            return f"warn_if_reject {self._restriction(classes)}"
        if kind < 0.12 and classes:
            return draw.choice(classes)
        if kind < 0.15 and bare:
            return self._table(draw.choice(["client", "helo", "sender", "recipient"]), classes)
        needs = draw.choices([Needs.NOTHING, Needs.TABLE, Needs.ZONE, Needs.SECONDS], [45, 35, 15, 1])[0]
        if needs is Needs.NOTHING and draw.random() < 0.1:
            return draw.choice([name for name in OLD_NAMES if NEEDS[OLD_NAMES[name]] is needs])
        name = draw.choice([name for name, wanted in NEEDS.items() if wanted is needs and name not in _ELSEWHERE])
        # Of logins Postfix knows small letters only.
        name = name.upper() if draw.random() < 0.03 and "login" not in name else name
        return f"{name} {self._argument(name.lower(), classes)}".strip()

    def _argument(self, name: str, classes: Sequence[str]) -> str:
        match NEEDS[name]:
            case Needs.TABLE:
                who = name.removeprefix("check_").removesuffix("_access")
                host = who.rpartition("_")[2] in ("mx", "ns", "a")
                return self._table("host" if host else _SUBJECTS.get(who, who), classes)
            case Needs.ZONE:
                zone = self._draw.choice(_ZONES["name" if "_rhs" in name else "client"])
                return zone.replace("bl.", "wl.") if name.startswith("permit_dns") else zone
            case Needs.SECONDS:
                return "0"
        return ""

    def _table(self, who: str, classes: Sequence[str]) -> str:
        draw = self._draw
        keys = draw.sample(_KEYS[who], draw.randint(1, 4))
        networks = draw.sample(_NETWORKS, draw.randint(1, 3)) if who in ("client", "host") else ()
        return self._tables.access(draw, list(self._entries(keys, classes)), list(self._entries(networks, classes)))

    def _entries(self, keys: Sequence[str], classes: Sequence[str]) -> Iterator[tuple[str, str]]:
        for key in keys:
            is_class = classes and self._draw.random() < 0.1
            yield key, self._draw.choice(classes if is_class else _VALUES)
