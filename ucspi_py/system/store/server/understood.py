"""What the installed redis understands of our wishes: releases from 4.3 on differ. Never connects."""

from inspect import signature
from typing import Any


def understood(kind: type[Any], **wishes: Any) -> dict[str, Any]:
    """Find the wishes that a class of the library, or one that it is made of, knows by name.

    protocol came with 5.0, driver_info with 7.2.
    """
    known = {name for one in kind.__mro__[:-1] for name in signature(one).parameters}
    return {name: value for name, value in wishes.items() if name in known}
