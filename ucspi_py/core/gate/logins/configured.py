"""The logins of a configuration: its texts become LoginSettings."""

from ..language.configuration import Configuration
from ..language.sasl_parameters import HOURLY, TLS_ONLY
from .settings import LoginSettings

_NAMES = (
    "smtpd_sasl_type",
    "smtpd_sasl_path",
    "queue_directory",
    "cyrus_sasl_config_path",
    "smtpd_sasl_service",
    "smtpd_sasl_local_domain",
    "smtpd_sasl_security_options",
    "smtpd_sasl_tls_security_options",
    "smtpd_sasl_mechanism_filter",
    "smtpd_sasl_exceptions_networks",
    "smtpd_sasl_response_limit",
    "broken_sasl_auth_clients",
    "checkpassword_cram_order",
    "smtpd_sasl_channel",
)


def login_settings(configuration: Configuration) -> LoginSettings:
    """Make what is asked of logins. Raises AskedWrongly.

    A main.cf that says nothing of TLS means what it does to Postfix; without one no password is taken in the clear.
    """
    return LoginSettings(
        **{name: configuration.value(name) for name in _NAMES},
        hourly_recipient_limit=configuration.value(HOURLY),
        smtpd_tls_auth_only=configuration.value(TLS_ONLY)
        if configuration.has_file or configuration.is_given(TLS_ONLY)
        else True,
        where=f"{configuration.where(HOURLY)}: {HOURLY}" if configuration.value(HOURLY) else "",
    )
