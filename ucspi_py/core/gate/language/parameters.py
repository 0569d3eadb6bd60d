"""The parameters that a gate has: what each is called, takes and does.

--help, the manual page and the checks are made of the one table below. Names and meanings are Postfix's (postconf(5)).
"""

from ..greylist import parameters as greylist_parameters
from ..milter import parameters as milter_parameters
from ..policy import parameters as policy_parameters
from ..settings import QMAIL_CONTROL
from ..tls import parameters as tls_parameters
from . import content_parameters, limits, restriction_parameters, sasl_parameters, values
from .parameter import Parameter

NAME, BANNER = "myhostname", "smtpd_banner"
OVERRIDES = "receive_override_options"

PARAMETERS = (
    Parameter(NAME, NAME, values.host_name, None, "our name in replies; control/me where it is not set"),
    Parameter(BANNER, BANNER, values.printable, None, "text behind 220; as qmail greets where it is not set"),
    Parameter(
        "message_size_limit",
        "message_size_limit",
        values.number(0),
        None,
        "bytes of a message, 0 = any; of this and databytes the smaller counts",
    ),
    Parameter("mynetworks", "mynetworks", values.networks, "127.0.0.0/8 [::1]/128", "networks that may relay"),
    Parameter("relay_store", "relay_store", values.store, None, "ledger whose grants let clients relay; ours"),
    Parameter("relay_domains", "relay_domains", values.domains, "", "domains beside rcpthosts, with all below them"),
    Parameter("inet_interfaces", "", values.text, "all", "addresses of this host, where lists ask for them"),
    Parameter("proxy_interfaces", "", values.text, "", "more of them, of a proxy before this host"),
    Parameter("qmail_control", "qmail_control", values.path, QMAIL_CONTROL, "directory of qmail's control files"),
    Parameter("smtpd_timeout", "timeout", values.seconds(1), "300s", "time for which a client may say nothing"),
    Parameter("smtpd_recipient_limit", "recipient_limit", values.number(1), "1000", "recipients of one message"),
    Parameter(
        "smtpd_recipient_overshoot_limit",
        "recipient_overshoot_limit",
        values.number(1),
        "1000",
        "recipients beyond these that are no errors yet",
    ),
    Parameter("smtpd_soft_error_limit", "soft_error_limit", values.number(1), "10", "errors until replies are slow"),
    Parameter("smtpd_hard_error_limit", "hard_error_limit", values.number(1), "20", "errors until the client is left"),
    Parameter("smtpd_error_sleep_time", "error_sleep_time", values.seconds(0), "1s", "time before each slow reply"),
    Parameter(
        "smtpd_junk_command_limit",
        "junk_command_limit",
        values.number(1),
        "100",
        "commands that lead nowhere until they are errors",
    ),
    Parameter("line_length_limit", "line_length_limit", values.number(512), "2048", "bytes of a command line"),
    Parameter("smtpd_min_data_rate", "min_data_rate", values.number(1), "500", "bytes a second of a message"),
    Parameter("smtpd_helo_required", "helo_required", values.yes_no, "no", "no MAIL before HELO or EHLO"),
    Parameter(
        "smtpd_forbid_bare_newline",
        "forbid_bare_newline",
        values.bare_newline,
        "reject",
        "of a message with LF alone: no, normalize, reject; who relays: normalize",
    ),
    Parameter(
        "smtpd_forbid_bare_newline_reject_code",
        "bare_newline_reject_code",
        values.number(400, 599),
        "550",
        "code of the reply to such a message",
    ),
    Parameter(
        "smtpd_forbid_unauth_pipelining",
        "forbid_unauth_pipelining",
        values.yes_no,
        "yes",
        "leave a client that does not wait where it must",
    ),
    Parameter(
        "strict_rfc821_envelopes",
        "strict_rfc821_envelopes",
        values.yes_no,
        "no",
        "take no address without < and >",
    ),
    Parameter("disable_vrfy_command", "disable_vrfy_command", values.yes_no, "no", "refuse VRFY"),
    Parameter(
        "allow_untrusted_routing",
        "allow_untrusted_routing",
        values.yes_no,
        "no",
        "take user%elsewhere in our domains from strangers",
    ),
    Parameter("smtputf8_enable", "smtputf8_enable", values.yes_no, "no", "offer SMTPUTF8; the backend must, too"),
    Parameter("soft_bounce", "soft_bounce", values.yes_no, "no", "refuse for now what would be refused for good"),
    Parameter("compatibility_level", "", values.level, "0", "whose defaults hold, as in Postfix"),
    Parameter("mydomain", "", values.text, None, "what $mydomain stands for; myhostname without its first label"),
    Parameter(
        OVERRIDES,
        "",
        values.override_options,
        "",
        "no_milters, no_header_body_checks: without these; others do nothing",
    ),
    Parameter("mail_name", "", values.text, "Postfix", "what $mail_name stands for"),
    *content_parameters.PARAMETERS,
    *restriction_parameters.PARAMETERS,
    *limits.PARAMETERS,
    *sasl_parameters.PARAMETERS,
    *tls_parameters.PARAMETERS,
    *greylist_parameters.PARAMETERS,
    *policy_parameters.PARAMETERS,
    *milter_parameters.PARAMETERS,
)
