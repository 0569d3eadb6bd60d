"""The parameters of the restriction lists, frozen, under Postfix's names and with its defaults (postconf(5))."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ...dnsbl.zone import Zone
from ..maps.names import MapName
from .addresses.resolved import Kind
from .restriction import Restriction, Restrictions

if TYPE_CHECKING:
    from ...greylist.triplet.settings import TripletSettings
    from ..policy.settings import PolicyService, PolicySettings

Maps = tuple[MapName, ...]


class DomainPattern(NamedTuple):
    """One word of a list of domains. pattern: a name in lower case, or a table of them. excluded: ``!`` before it."""

    pattern: bytes | MapName
    excluded: bool = False


DomainList = tuple[DomainPattern, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of refusals.

    access_map_reject_code, access_map_defer_code: of REJECT, and of DEFER and its like in a table. reject_code,
    defer_code: of reject and defer. relay_domains_reject_code: of mail for elsewhere; defer_unauth_destination has 100
    less. maps_rbl_reject_code: of who is listed. plaintext_reject_code: of sessions without TLS.
    unknown_client_reject_code: of clients without a name. invalid_hostname_reject_code, non_fqdn_reject_code,
    unknown_hostname_reject_code: of HELO names; the second of addresses, too. unknown_address_reject_code: of addresses
    whose domain there is not. multi_recipient_bounce_reject_code: of the null sender with several recipients.
    unknown_local_recipient_reject_code, unknown_relay_recipient_reject_code, unknown_virtual_alias_reject_code,
    unknown_virtual_mailbox_reject_code: of recipients whom nobody knows.
    """

    access_map_defer_code: int = 450
    access_map_reject_code: int = 554
    defer_code: int = 450
    invalid_hostname_reject_code: int = 501
    maps_rbl_reject_code: int = 554
    multi_recipient_bounce_reject_code: int = 550
    non_fqdn_reject_code: int = 504
    plaintext_reject_code: int = 450
    reject_code: int = 554
    relay_domains_reject_code: int = 554
    unknown_address_reject_code: int = 450
    unknown_client_reject_code: int = 450
    unknown_hostname_reject_code: int = 450
    unknown_local_recipient_reject_code: int = 550
    unknown_relay_recipient_reject_code: int = 550
    unknown_virtual_alias_reject_code: int = 550
    unknown_virtual_mailbox_reject_code: int = 550


@dataclass(frozen=True, slots=True)
class Destinations:
    """What mail is taken for, and who is there.

    myorigin, mydomain: what addresses are completed with. mydestination, virtual_alias_domains,
    virtual_mailbox_domains: final here. relay_domains: handed on, with all below them. own_addresses: canonical, of
    this host (inet_interfaces, proxy_interfaces): user@[192.0.2.1] is final, too. unwritten: kinds whose domains nobody
    has written; the gate's last check takes none by Postfix's default alone (own.py). ..._maps: their users; () =
    nobody can say who there is. append_dot_mydomain, swap_bangpath, allow_percent_hack: how incomplete and routed
    addresses are read. allow_untrusted_routing: take user%elsewhere for relay_domains. show_user_unknown_table_name:
    name the table that has no such user.
    """

    myorigin: bytes = b"localhost"
    mydomain: bytes = b"localdomain"
    mydestination: DomainList = ()
    virtual_alias_domains: DomainList = ()
    virtual_mailbox_domains: DomainList = ()
    relay_domains: DomainList = ()
    own_addresses: frozenset[bytes] = frozenset()
    unwritten: frozenset[Kind] = frozenset()
    canonical_maps: Maps = ()
    recipient_canonical_maps: Maps = ()
    sender_canonical_maps: Maps = ()
    virtual_alias_maps: Maps = ()
    virtual_mailbox_maps: Maps = ()
    local_recipient_maps: Maps = ()
    relay_recipient_maps: Maps = ()
    append_dot_mydomain: bool = False
    swap_bangpath: bool = True
    allow_percent_hack: bool = True
    allow_untrusted_routing: bool = False
    show_user_unknown_table_name: bool = True

    @property
    def tables(self) -> Maps:
        """Every table of domains and of users."""
        domains = (self.mydestination, self.virtual_alias_domains, self.virtual_mailbox_domains, self.relay_domains)
        patterns = (one.pattern for of_kind in domains for one in of_kind)
        return (
            *(pattern for pattern in patterns if isinstance(pattern, MapName)),
            *(*self.canonical_maps, *self.recipient_canonical_maps, *self.sender_canonical_maps),
            *(*self.virtual_alias_maps, *self.virtual_mailbox_maps),
            *(*self.local_recipient_maps, *self.relay_recipient_maps),
        )


@dataclass(frozen=True, slots=True)
class RestrictionSettings:
    """The lists, and how they are evaluated.

    smtpd_..._restrictions: the list of each stage. smtpd_restriction_classes: lists with names.
    smtpd_relay_before_recipient_restrictions: of these two the relay list is first. smtpd_delay_reject: the client,
    HELO and sender lists wait for RCPT. unknown_..._tempfail_action: whether a name that cannot be looked up now is
    refused only where nothing else refuses (defer_if_permit), and not at once (defer). smtpd_null_access_lookup_key:
    the key of the null sender. parent_domain_matches_subdomains: the parameters in which a domain stands for all below
    it. recipient_delimiter: characters, each of which begins an extension. smtpd_sasl_auth_enable: clients may log in.
    smtpd_sender_login_maps: the users whose an address is, which are asked for those that are senders. greylist: of
    check_greylist; None = no list has it. policy: how policy services are asked; None = no list names one.
    """

    smtpd_client_restrictions: Restrictions = ()
    smtpd_helo_restrictions: Restrictions = ()
    smtpd_sender_restrictions: Restrictions = ()
    smtpd_relay_restrictions: Restrictions = ()
    smtpd_recipient_restrictions: Restrictions = ()
    smtpd_data_restrictions: Restrictions = ()
    smtpd_end_of_data_restrictions: Restrictions = ()
    smtpd_restriction_classes: Mapping[str, Restrictions] = field(default_factory=dict)
    smtpd_relay_before_recipient_restrictions: bool = True
    smtpd_delay_reject: bool = True
    smtpd_reject_unlisted_recipient: bool = True
    smtpd_reject_unlisted_sender: bool = False
    soft_bounce: bool = False
    unknown_address_tempfail_defers_if_permit: bool = True
    unknown_helo_hostname_tempfail_defers_if_permit: bool = True
    smtpd_null_access_lookup_key: bytes = b"<>"
    parent_domain_matches_subdomains: frozenset[str] = frozenset(("smtpd_access_maps", "relay_domains"))
    recipient_delimiter: bytes = b""
    owner_request_special: bool = True
    smtpd_sasl_auth_enable: bool = False
    smtpd_sender_login_maps: Maps = ()
    greylist: "TripletSettings | None" = None
    policy: "PolicySettings | None" = None
    codes: Codes = field(default_factory=Codes)
    destinations: Destinations = field(default_factory=Destinations)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Every zone of every list, once."""
        return tuple(dict.fromkeys(one.zone for one in self._all() if isinstance(one.argument, Zone)))

    @property
    def tables(self) -> Maps:
        """Every table of every list, of who there is, and whose an address is, once."""
        of_lists = (one.table for one in self._all() if isinstance(one.argument, MapName))
        return tuple(dict.fromkeys((*of_lists, *self.destinations.tables, *self.smtpd_sender_login_maps)))

    @property
    def greylists(self) -> tuple[Restriction, ...]:
        """Each check_greylist of every list."""
        return tuple(one for one in self._all() if one.name == "check_greylist")

    @property
    def policy_services(self) -> "tuple[PolicyService, ...]":
        """Every policy service of every list, once."""
        return tuple(dict.fromkeys(one.service for one in self._all() if one.name == "check_policy_service"))

    @property
    def permits_certificates(self) -> bool:
        """Whether a list permits who shows a certificate."""
        return any(one.name == "permit_tls_all_clientcerts" for one in self._all())

    def _all(self) -> Iterator[Restriction]:
        yield from self.smtpd_client_restrictions
        yield from self.smtpd_helo_restrictions
        yield from self.smtpd_sender_restrictions
        yield from self.smtpd_relay_restrictions
        yield from self.smtpd_recipient_restrictions
        yield from self.smtpd_data_restrictions
        yield from self.smtpd_end_of_data_restrictions
        for restrictions in self.smtpd_restriction_classes.values():
            yield from restrictions
