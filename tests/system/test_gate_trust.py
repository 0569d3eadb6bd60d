"""What a client's session offers, and to whom nothing is offered."""

from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.gate.visitor import Visitor, visitor
from ucspi_py.core.smtp.settings import NOTHING, Offers
from ucspi_py.system.gate.session import CheckLogin, Session
from ucspi_py.system.gate.trust import Trust

OFFERED = Offers(mechanisms=(b"PLAIN",))


class Everybody:
    """Offers a login to whoever comes."""

    def offers(self, _client: Visitor) -> Offers:
        """The same to all."""
        return OFFERED

    def begin(self, _session: Session) -> CheckLogin:
        """Nobody begins one here."""
        raise AssertionError


def test_a_proxy_that_speaks_for_nobody_may_not_log_in() -> None:
    """Whoever logs in may relay, and there is nobody."""
    environment = {b"TCPREMOTEIP": b"192.0.2.7"}

    assert Trust(Everybody()).offers(visitor(environment, GateSettings())) == OFFERED
    assert Trust(Everybody()).offers(visitor(environment | {b"PROXYLOCAL": b"1"}, GateSettings())) == NOTHING
