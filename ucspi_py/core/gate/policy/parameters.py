"""The parameters of policy services (postconf(5), SMTPD_POLICY_README)."""

from collections.abc import Callable

from ..language import values
from ..language.parameter import Parameter

PREFIX = "smtpd_policy_service_"


def text(text: str) -> bytes:
    """Take a text as it is."""
    return text.encode("utf-8", "surrogateescape")


def _one(name: str, parse: Callable[[str], object], default: str, explanation: str) -> Parameter:
    return Parameter(PREFIX + name, "", parse, default, explanation)


PARAMETERS = (
    _one("default_action", text, "DUNNO", "what is done where a policy service gives no answer"),
    _one("max_idle", values.seconds(1), "300s", "time after which a connection that nobody uses is closed"),
    _one("max_ttl", values.seconds(1), "1000s", "time after which any connection is closed"),
    _one("policy_context", text, "", "what a policy service is told of the list"),
    _one("request_limit", values.number(0), "0", "questions on one connection, 0 = any"),
    _one("retry_delay", values.seconds(1), "1s", "time between two tries"),
    _one("timeout", values.seconds(1), "10s", "time for one answer, with all tries"),
    _one("try_limit", values.number(1), "2", "tries until there is no answer"),
)
#: What each may be in the braces of one service.
PARSE = {one.name.removeprefix(PREFIX): one.parse for one in PARAMETERS}
