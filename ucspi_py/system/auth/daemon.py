"""Which daemon checks the passwords of a configuration, and what asks it. Never decides what an answer means."""

import asyncio
from typing import NamedTuple

from ...core.auth.place import Place, place
from ...core.auth.smtpd_conf import SASLAUTHD_PATH
from ...core.gate.logins.settings import LoginSettings, SaslType
from .checker import Checker
from .dovecot import DovecotChecker
from .saslauthd import MECHANISMS, SaslauthdChecker
from .smtpd_conf import find

#: The value that smtpd_sasl_path has where nobody sets it: a name of Cyrus's file, and of no socket of saslauthd's.
_UNSET = "smtpd"


class Daemon(NamedTuple):
    """A daemon.

    place: where it listens. mechanisms: to be offered; Dovecot says itself which of them it has. without_effect: a
    sentence for each line of smtpd.conf that does nothing here.
    """

    place: Place
    mechanisms: tuple[bytes, ...] = MECHANISMS
    without_effect: tuple[str, ...] = ()


def daemon(settings: LoginSettings) -> Daemon | None:
    """Find the daemon of a configuration; None where a program checks.

    Raises AskedWrongly for a place that is none and for what a smtpd.conf must not say, Failure where that cannot be
    read.
    """
    kind, path = settings.smtpd_sasl_type, settings.smtpd_sasl_path
    if kind is SaslType.CHECKPASSWORD:
        return None
    if kind is SaslType.CYRUS:
        conf = find(settings.cyrus_sasl_config_path, path)
        return Daemon(place(conf.saslauthd, settings.queue_directory), conf.mechanisms, conf.without_effect)
    if kind is SaslType.SASLAUTHD and path == _UNSET:
        path = SASLAUTHD_PATH
    return Daemon(place(path, settings.queue_directory))


def checker(loop: asyncio.AbstractEventLoop, settings: LoginSettings, found: Daemon) -> Checker:
    """Make what asks a daemon. To be made in the process that uses it. found: as of daemon()."""
    service = settings.smtpd_sasl_service.encode()
    if settings.smtpd_sasl_type is SaslType.DOVECOT:
        return DovecotChecker(loop, found.place, service)
    return SaslauthdChecker(found.place, service, settings.smtpd_sasl_local_domain.encode(), found.mechanisms)
