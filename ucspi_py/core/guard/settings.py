"""What the operator asked of the guard, frozen."""

from dataclasses import dataclass

from ..auth.checkpassword import Order
from ..tls.settings import Pair


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What the guard does at most, whoever asks, a worker that is taken over included.

    at_once: checkers that run. waiting: checks that wait for their turn. waiting_seconds: how long one waits.
    check_seconds: how long a checker may run. cpu_seconds: of the processor that it may use. failures_a_second: wrong
    passwords of all together within a second. user_failures, client_failures: of one user, and of one client (an IPv4
    address or an IPv6 /64), within a minute.
    """

    at_once: int = 8
    waiting: int = 64
    waiting_seconds: float = 20.0
    check_seconds: float = 10.0
    cpu_seconds: int = 5
    failures_a_second: int = 20
    user_failures: int = 5
    client_failures: int = 10


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """One service's guard, which there is only where it is asked for.

    checkpassword: the checker and its arguments; () = it checks no passwords. mechanisms: for which the checker is
    asked, in capitals. order: of the halves of CRAM-MD5. pairs: certificates and keys that it reads; () = none.
    """

    checkpassword: tuple[str, ...] = ()
    mechanisms: tuple[bytes, ...] = (b"PLAIN", b"LOGIN")
    order: Order = Order.RESPONSE_FIRST
    pairs: tuple[Pair, ...] = ()
    limits: GuardLimits = GuardLimits()
