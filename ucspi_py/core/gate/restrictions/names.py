"""The names of Postfix's restrictions (smtpd_check.c, generic_checks): what stands behind each, and who takes none.
Ours are check_channel_access and check_greylist.

The gate refuses at the start what it cannot do; nothing is passed over in silence.
"""

import enum


class Needs(enum.Enum):
    """What stands behind a name in its list."""

    NOTHING = "nothing"
    TABLE = "a table, type:name, as in hash:/etc/postfix/access"
    ZONE = "a domain name"
    SECONDS = "a number"
    STORE = "a store, as in /var/lib/greylist/db or redis://HOST/0"
    SERVICE = "a policy service, unix:PATH or inet:HOST:PORT"


_SERVERS = ("client", "reverse_client_hostname", "helo", "sender", "recipient")

#: check_..._{mx,ns,a}_access: the servers of which name are looked up.
SERVER_CHECKS = {f"check_{who}_{kind}_access": (who, kind) for who in _SERVERS for kind in ("mx", "ns", "a")}

NEEDS = {
    **dict.fromkeys(
        (
            "permit",
            "reject",
            "defer",
            "defer_if_permit",
            "defer_if_reject",
            "warn_if_reject",
            "reject_unauth_pipelining",
            "reject_plaintext_session",
            "reject_multi_recipient_bounce",
            "permit_mynetworks",
            "permit_inet_interfaces",
            "permit_sasl_authenticated",
            "permit_tls_all_clientcerts",
            "reject_unknown_client_hostname",
            "reject_unknown_reverse_client_hostname",
            "reject_invalid_helo_hostname",
            "reject_non_fqdn_helo_hostname",
            "reject_unknown_helo_hostname",
            "reject_non_fqdn_sender",
            "reject_unknown_sender_domain",
            "reject_unlisted_sender",
            "reject_sender_login_mismatch",
            "reject_known_sender_login_mismatch",
            "reject_authenticated_sender_login_mismatch",
            "reject_unauthenticated_sender_login_mismatch",
            "reject_non_fqdn_recipient",
            "reject_unknown_recipient_domain",
            "reject_unlisted_recipient",
            "permit_auth_destination",
            "reject_unauth_destination",
            "defer_unauth_destination",
        ),
        Needs.NOTHING,
    ),
    **dict.fromkeys(
        (
            "check_client_access",
            "check_reverse_client_hostname_access",
            "check_helo_access",
            "check_sender_access",
            "check_recipient_access",
            "check_etrn_access",
            "check_sasl_access",
            "check_ccert_access",
            "check_channel_access",
            *SERVER_CHECKS,
        ),
        Needs.TABLE,
    ),
    **dict.fromkeys(
        (
            "reject_rbl_client",
            "reject_rhsbl_client",
            "reject_rhsbl_reverse_client",
            "reject_rhsbl_helo",
            "reject_rhsbl_sender",
            "reject_rhsbl_recipient",
            "permit_dnswl_client",
            "permit_rhswl_client",
        ),
        Needs.ZONE,
    ),
    "sleep": Needs.SECONDS,
    "check_greylist": Needs.STORE,
    "check_policy_service": Needs.SERVICE,
}

#: Old names, and what they are called now.
OLD_NAMES = {
    "reject_unknown_client": "reject_unknown_client_hostname",
    "reject_invalid_hostname": "reject_invalid_helo_hostname",
    "reject_non_fqdn_hostname": "reject_non_fqdn_helo_hostname",
    "reject_unknown_hostname": "reject_unknown_helo_hostname",
    "reject_unknown_address": "reject_unknown_sender_domain",
    "reject_rbl": "reject_rbl_client",
    "check_recipient_maps": "reject_unlisted_recipient",
}

#: What the gate refuses, and the way out.
REFUSED = {
    "reject_unverified_sender": "the gate asks no other server about an address: list addresses in a table",
    "reject_unverified_recipient": "the gate asks no other server about an address: list them in relay_recipient_maps",
    "permit_tls_clientcerts": "a certificate that nobody has signed is not shown to us: use permit_tls_all_clientcerts",
    "reject_maps_rbl": "Postfix 3.9 has it no longer: use reject_rbl_client with the zone behind it",
    "check_relay_domains": "Postfix 3.9 has it no longer: use reject_unauth_destination",
    "permit_naked_ip_address": "Postfix 3.9 has it no longer: use permit_mynetworks",
    "permit_mx_backup": "strangers decide who relays by it: list the domains in relay_domains",
    "reject_unknown_forward_client_hostname": "Postfix has no such restriction: use reject_unknown_client_hostname",
}
#: What refuses mail for elsewhere; of these one must stand where every recipient comes by (smtpd_check_init).
RELAY_CHECKS = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer", "defer_if_permit")
