"""The check behind each name of a restriction. Never judges anything itself."""

from collections.abc import Mapping

from ..evaluation import Check, Evaluation, Subject
from ..judgement import Verdict
from ..names import REFUSED
from ..restriction import CLASS, FLAWED, TABLE, Restriction
from ..services import greylisting
from . import access, client, destination, envelope, general, helo, logins, users, zones
from .servers import SERVER_ACCESS


def _policy_service(evaluation: Evaluation, restriction: Restriction, subject: Subject) -> Verdict:
    """check_policy_service: few have one."""
    from ..services import policy

    return policy.policy_service(evaluation, restriction, subject)


CHECKS: Mapping[str, Check] = {
    FLAWED: general.flawed,
    **dict.fromkeys(REFUSED, general.flawed),
    CLASS: general.in_class,
    TABLE: access.bare_table,
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
    "permit_sasl_authenticated": logins.permit_authenticated,
    "permit_tls_all_clientcerts": client.certified,
    "reject_unknown_client_hostname": client.unknown_hostname,
    "reject_unknown_reverse_client_hostname": client.unknown_reverse_hostname,
    "reject_invalid_helo_hostname": helo.invalid_hostname,
    "reject_non_fqdn_helo_hostname": helo.non_fqdn_hostname,
    "reject_unknown_helo_hostname": helo.unknown_hostname,
    "reject_non_fqdn_sender": envelope.non_fqdn_sender,
    "reject_unknown_sender_domain": envelope.unknown_sender_domain,
    "reject_unlisted_sender": users.reject_unlisted_sender,
    "reject_sender_login_mismatch": logins.sender_mismatch,
    "reject_known_sender_login_mismatch": logins.known_mismatch,
    "reject_authenticated_sender_login_mismatch": logins.authenticated_mismatch,
    "reject_unauthenticated_sender_login_mismatch": logins.unauthenticated_mismatch,
    "reject_non_fqdn_recipient": envelope.non_fqdn_recipient,
    "reject_unknown_recipient_domain": envelope.unknown_recipient_domain,
    "reject_unlisted_recipient": users.reject_unlisted_recipient,
    "permit_auth_destination": destination.permit_auth,
    "reject_unauth_destination": destination.reject_unauth,
    "defer_unauth_destination": destination.defer_unauth,
    "reject_rbl_client": zones.rbl_client,
    "reject_rhsbl_client": zones.rhsbl_client,
    "reject_rhsbl_reverse_client": zones.rhsbl_reverse_client,
    "reject_rhsbl_helo": zones.rhsbl_helo,
    "reject_rhsbl_sender": zones.rhsbl_sender,
    "reject_rhsbl_recipient": zones.rhsbl_recipient,
    "permit_dnswl_client": zones.dnswl_client,
    "permit_rhswl_client": zones.rhswl_client,
    "check_client_access": access.client,
    "check_reverse_client_hostname_access": access.reverse_client,
    "check_helo_access": access.helo,
    "check_sender_access": access.sender,
    "check_recipient_access": access.recipient,
    **SERVER_ACCESS,
    "check_sasl_access": logins.access,
    "check_ccert_access": general.dunno,
    "check_channel_access": access.channel,
    "check_etrn_access": general.dunno,
    "check_greylist": greylisting.put_off,
    "check_policy_service": _policy_service,
}
