"""The check behind each name of a restriction. Never judges anything itself."""

from collections.abc import Mapping

from ..evaluation import Check
from ..restriction import CLASS, FLAWED
from . import client, destination, envelope, general, helo, users

CHECKS: Mapping[str, Check] = {
    FLAWED: general.flawed,
    CLASS: general.in_class,
    "permit": general.permit,
    "reject": general.reject,
    "defer": general.defer,
    "defer_if_permit": general.defer_if_permit,
    "defer_if_reject": general.defer_if_reject,
    "sleep": general.sleep,
    "reject_unauth_pipelining": general.unauth_pipelining,
    "reject_plaintext_session": general.plaintext_session,
    "reject_multi_recipient_bounce": general.multi_recipient_bounce,
    "permit_mynetworks": client.mynetworks,
    "permit_inet_interfaces": client.inet_interfaces,
    "permit_sasl_authenticated": general.dunno,
    "permit_tls_clientcerts": general.dunno,
    "permit_tls_all_clientcerts": general.dunno,
    "reject_unknown_client_hostname": client.unknown_hostname,
    "reject_unknown_reverse_client_hostname": client.unknown_reverse_hostname,
    "reject_invalid_helo_hostname": helo.invalid_hostname,
    "reject_non_fqdn_helo_hostname": helo.non_fqdn_hostname,
    "reject_unknown_helo_hostname": helo.unknown_hostname,
    "reject_non_fqdn_sender": envelope.non_fqdn_sender,
    "reject_unknown_sender_domain": envelope.unknown_sender_domain,
    "reject_unlisted_sender": users.reject_unlisted_sender,
    "reject_sender_login_mismatch": general.without_sasl,
    "reject_known_sender_login_mismatch": general.without_sasl,
    "reject_authenticated_sender_login_mismatch": general.without_sasl,
    "reject_unauthenticated_sender_login_mismatch": general.without_sasl,
    "reject_non_fqdn_recipient": envelope.non_fqdn_recipient,
    "reject_unknown_recipient_domain": envelope.unknown_recipient_domain,
    "reject_unlisted_recipient": users.reject_unlisted_recipient,
    "permit_auth_destination": destination.permit_auth,
    "reject_unauth_destination": destination.reject_unauth,
    "defer_unauth_destination": destination.defer_unauth,
    "check_sasl_access": general.without_sasl,
    "check_ccert_access": general.dunno,
    "check_etrn_access": general.dunno,
}
