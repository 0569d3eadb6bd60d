"""tls-... and smtp-auth-... -> TLS and logins of the gate. Never takes a password in the clear."""

from collections.abc import Iterator

from .conf import Conf
from .item import Item, Kind, literal, passed, said, unsaid

_NO_TLS = ("none",)
_TLS = ("smtp", "smtp-no-passthrough", "smtps")
LEVELS = (*_NO_TLS, *_TLS)
_OFFERED = ("ondemand", "ondemand-encrypted", "always", "always-encrypted")
AUTH_LEVELS = ("none", "observe", *_OFFERED)
#: spamdyke's default, smtp-auth-level=observe, is for a qmail-smtpd with a patch that does SMTP AUTH.
_OBSERVED = "a patched qmail-smtpd is asked for no login, set smtpd_sasl_auth_enable where users have one"
_FILES = {"tls-certificate-file": "smtpd_tls_cert_file", "tls-privatekey-file": "smtpd_tls_key_file"}


def has_tls(conf: Conf) -> bool:
    """Whether clients are offered TLS."""
    level = conf.last("tls-level")
    return conf.last("tls-certificate-file") is not None and (level is None or level.value in _TLS)


def tls(conf: Conf) -> Iterator[Item]:
    """Say the certificate and whether TLS is offered, or begins before the banner."""
    level = conf.last("tls-level")
    files = [one for name in _FILES if (one := conf.last(name))]
    if not has_tls(conf):
        given = [level, *files] if level and level.value in LEVELS else files
        yield from (passed(one, "no TLS is offered without a certificate, or with level none") for one in given if one)
        return
    for one in files:
        yield said(Kind.PARAMETER, one, f"{_FILES[one.name]} = {literal(one.value)}")
    if level and level.value == "smtps":
        yield said(Kind.PARAMETER, level, "smtpd_tls_wrappermode = yes", "smtpd_tls_security_level = encrypt")
    else:
        yield Item(Kind.PARAMETER, (level,) if level else (), ("smtpd_tls_security_level = may",))


def logins(conf: Conf) -> Iterator[Item]:
    """Say who checks passwords."""
    level, commands = conf.last("smtp-auth-level"), conf.all("smtp-auth-command")
    if not level or level.value not in _OFFERED:
        yield from (passed(one, "nobody is offered a login without smtp-auth-level") for one in commands)
        if not level:
            yield Item(Kind.PASSED, (), note=_OBSERVED)
        if level and level.value == "none":
            yield passed(level, "so it is without it")
        elif level and level.value == "observe":
            yield unsaid(
                level,
                "the gate asks for passwords itself, and never the program",
                "set smtpd_sasl_auth_enable and type",
            )
        return
    if not commands:
        yield unsaid(level, "there is no smtp-auth-command that checks passwords", "set smtpd_sasl_type")
        return
    if not has_tls(conf):
        yield unsaid(
            level,
            "passwords are taken within TLS alone, and there is none",
            "set smtpd_tls_cert_file and security_level",
        )
    yield Item(Kind.PARAMETER, (level,), ("smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = checkpassword"))
    yield Item(Kind.PARAMETER, (), ("smtpd_tls_auth_only = yes",), note="no password is taken in the clear")
    yield said(Kind.PARAMETER, commands[0], f"smtpd_sasl_path = {literal(commands[0].value)}")
    if level.value.endswith("-encrypted"):
        yield said(Kind.PARAMETER, level, "smtpd_sasl_mechanism_filter = plain, login, cram-md5")
    for other in commands[1:]:
        yield unsaid(other, "the gate asks one program", "have one program that knows all users")
