"""The keys of TLS, loaded as a start loads them. Never serves anybody with them."""

from collections.abc import Iterator

from ....core.errors import AskedWrongly, Failure
from ....core.service.check.finding import Finding, error, warning
from ....core.service.settings import ServerSettings
from ....core.tls import loglines
from . import user

_WHAT = "tls"


def looked(settings: ServerSettings) -> Iterator[Finding]:
    """Yield how long each certificate is valid, or what is wrong with the keys; nothing where there is no TLS."""
    asked = settings.any_tls
    if asked is None:
        return
    hidden = [path for pair in asked.pairs for path in (pair.certificate, pair.key) if _is_hidden(path)]
    if hidden and user.only_root_knows(settings):
        yield warning(_WHAT, f"only root can tell whether {hidden[0]} can be used")
        return
    from ...tls.contexts import Contexts
    from ...tls.keys import KeyFiles

    contexts = Contexts(asked, _say_nothing)
    try:
        contexts.use(KeyFiles(asked.pairs).changed() or ())
    except (AskedWrongly, Failure) as failure:
        yield error(_WHAT, failure.sentence)
        return
    for certificate, days in contexts.days_left():
        yield _certificate(certificate, days)


def _is_hidden(path: str) -> bool:
    try:
        with open(path, "rb"):
            return False
    except PermissionError:
        return True
    except OSError:
        return False


def _certificate(path: str, days: int | None) -> Finding:
    if days is None:
        return warning(_WHAT, f"unable to tell how long {path} is valid")
    if days < 0:
        return error(_WHAT, f"{path} is no longer valid")
    few = loglines.ends(path, days)
    return warning(_WHAT, few) if few else Finding(_WHAT, f"{path} is valid for {days} days")


def _say_nothing(_sentence: str) -> None:
    """Of days: they are told by days_left()."""
