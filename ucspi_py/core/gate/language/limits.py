"""The parameters of what one client may do (postconf(5), anvil(8))."""

from . import values
from .parameter import Parameter

COUNT, EXCEPTIONS, PERIOD = (
    "smtpd_client_connection_count_limit",
    "smtpd_client_event_limit_exceptions",
    "anvil_rate_time_unit",
)
#: The old name of the exceptions, to which their default refers.
OLD_EXCEPTIONS = "smtpd_client_connection_limit_exceptions"
_EXPLANATIONS = {
    COUNT: ("50", "connections of one client at once, 0 = any; without -f 0"),
    "smtpd_client_connection_rate_limit": ("0", "connections of one client in anvil_rate_time_unit, 0 = any"),
    "smtpd_client_message_rate_limit": ("0", "messages of one client in anvil_rate_time_unit, 0 = any"),
    "smtpd_client_recipient_rate_limit": ("0", "recipients of one client in anvil_rate_time_unit, 0 = any"),
    "smtpd_client_auth_rate_limit": ("0", "AUTH commands of one client in anvil_rate_time_unit, 0 = any"),
}
#: In the order of EventLimits.rates behind the first.
LIMITS = tuple(_EXPLANATIONS)

PARAMETERS = (
    *(
        Parameter(name, "", values.number(0), default, explanation)
        for name, (default, explanation) in _EXPLANATIONS.items()
    ),
    Parameter(
        EXCEPTIONS, "", values.any_networks, f"${{{OLD_EXCEPTIONS}:$mynetworks}}", "clients without these limits"
    ),
    Parameter(PERIOD, "", values.seconds(1), "60s", "time for which events are counted"),
)
