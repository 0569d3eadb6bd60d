"""The parameters of the restriction lists, and of who there is (postconf(5)).

The value of a list, of a table and of domains is its text: whoever judges by them parses its words.
"""

from collections.abc import Callable

from . import values
from .parameter import Parameter

_LEVEL_1 = "${{$compatibility_level} <level {1} ? {yes} : {no}}"
_LEVEL_3_6 = "${{$compatibility_level} <level {3.6} ? {no} : {yes}}"
_PERMITTED = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
_RELAY = f"${{{{$compatibility_level}} <level {{1}} ? {{}} : {{{_PERMITTED}}}}}"

LISTS = {
    "smtpd_client_restrictions": "the address and the name of a client",
    "smtpd_helo_restrictions": "the name in HELO",
    "smtpd_sender_restrictions": "a sender",
    "smtpd_relay_restrictions": "whether a recipient is for whom we take mail",
    "smtpd_recipient_restrictions": "a recipient",
    "smtpd_data_restrictions": "DATA",
    "smtpd_end_of_data_restrictions": "a whole message",
}
_CODES = {
    "access_map_defer_code": ("450", "DEFER in a table"),
    "access_map_reject_code": ("554", "REJECT in a table"),
    "defer_code": ("450", "defer"),
    "invalid_hostname_reject_code": ("501", "reject_invalid_helo_hostname"),
    "maps_rbl_reject_code": ("554", "a zone, as of reject_rbl_client"),
    "multi_recipient_bounce_reject_code": ("550", "reject_multi_recipient_bounce"),
    "non_fqdn_reject_code": ("504", "reject_non_fqdn_helo_hostname and the like"),
    "plaintext_reject_code": ("450", "reject_plaintext_session"),
    "reject_code": ("554", "reject"),
    "relay_domains_reject_code": ("554", "reject_unauth_destination"),
    "unknown_address_reject_code": ("450", "reject_unknown_sender_domain and the like"),
    "unknown_client_reject_code": ("450", "reject_unknown_client_hostname"),
    "unknown_hostname_reject_code": ("450", "reject_unknown_helo_hostname"),
    "unknown_local_recipient_reject_code": ("550", "a recipient who is not in local_recipient_maps"),
    "unknown_relay_recipient_reject_code": ("550", "a recipient who is not in relay_recipient_maps"),
    "unknown_virtual_alias_reject_code": ("550", "a recipient who is not in virtual_alias_maps"),
    "unknown_virtual_mailbox_reject_code": ("550", "a recipient who is not in virtual_mailbox_maps"),
}
_TABLES = {
    "local_recipient_maps": "users of mydestination; empty = nobody can say",
    "relay_recipient_maps": "users of relay_domains; empty = nobody can say",
    "virtual_mailbox_maps": "users of virtual_mailbox_domains",
    "canonical_maps": "addresses that become others",
    "recipient_canonical_maps": "recipients that become others",
    "sender_canonical_maps": "senders that become others",
}


def _one(name: str, default: str, explanation: str, parse: Callable[[str], object] = values.text) -> Parameter:
    return Parameter(name, "", parse, default, explanation)


PARAMETERS = (
    *(
        _one(name, _RELAY if name == "smtpd_relay_restrictions" else "", f"restrictions about {explanation}")
        for name, explanation in LISTS.items()
    ),
    _one("smtpd_restriction_classes", "", "names of lists of restrictions, each a parameter of its own"),
    _one(
        "smtpd_relay_before_recipient_restrictions",
        _LEVEL_3_6,
        "the relay list is before the recipient list",
        values.yes_no,
    ),
    _one("smtpd_delay_reject", "yes", "the client, HELO and sender lists wait for RCPT", values.yes_no),
    _one("smtpd_reject_unlisted_recipient", "yes", "refuse recipients who are in no table of users", values.yes_no),
    _one("smtpd_reject_unlisted_sender", "no", "refuse senders of ours who are in no table of users", values.yes_no),
    _one("reject_tempfail_action", "defer_if_permit", "of names that cannot be looked up now", values.tempfail_action),
    *(
        _one(name, "$reject_tempfail_action", f"of {what} that cannot be looked up now", values.tempfail_action)
        for name, what in (
            ("unknown_address_tempfail_action", "domains"),
            ("unknown_helo_hostname_tempfail_action", "names in HELO"),
        )
    ),
    _one("smtpd_null_access_lookup_key", "<>", "key of the null sender in a table"),
    _one(
        "parent_domain_matches_subdomains",
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,"
        "smtpd_access_maps",
        "parameters in which a domain stands for all below it",
    ),
    _one("recipient_delimiter", "", "characters, each of which begins an extension, as in user+list"),
    _one("owner_request_special", "yes", "owner and request addresses of lists have no extension", values.yes_no),
    *(
        _one(name, default, f"code of a refusal by {what}", values.number(400, 599))
        for name, (default, what) in _CODES.items()
    ),
    _one("myorigin", "$myhostname", "domain of an address without one"),
    _one("mydestination", "$myhostname, localhost.$mydomain, localhost", "domains whose users are of this host"),
    _one("virtual_alias_domains", "$virtual_alias_maps", "domains of addresses that become others"),
    _one("virtual_mailbox_domains", "$virtual_mailbox_maps", "domains of users of their own"),
    _one("virtual_alias_maps", "$virtual_maps", "addresses that become others"),
    *(_one(name, "", explanation) for name, explanation in _TABLES.items()),
    _one("smtpd_sender_login_maps", "", "users whose an address is, for who writes from it"),
    _one("append_dot_mydomain", _LEVEL_1, "complete a domain without a dot by $mydomain", values.yes_no),
    _one("swap_bangpath", "yes", "take host!user for a user of that host", values.yes_no),
    _one("allow_percent_hack", "yes", "take user%host for a user of that host", values.yes_no),
    _one("show_user_unknown_table_name", "yes", "name the table that has no such user", values.yes_no),
)
#: Postfix's default where it hangs on the level; the gate's own check takes what is listed alone.
BY_LEVEL: dict[str, str | None] = {"relay_domains": "${{$compatibility_level} <level {2} ? {$mydestination} : {}}"}
