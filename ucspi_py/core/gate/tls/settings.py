"""What the operator asked of TLS at a gate, frozen (postconf(5), smtpd_tls_...)."""

from dataclasses import dataclass

from ...tls.settings import TlsSettings


@dataclass(frozen=True, slots=True)
class GateTls:
    """TLS at a gate.

    tls: keys, versions and ciphers. is_required: most commands are refused before it (smtpd_tls_security_level =
    encrypt). wrapper_mode: it begins before the banner.
    """

    tls: TlsSettings
    is_required: bool = False
    wrapper_mode: bool = False
