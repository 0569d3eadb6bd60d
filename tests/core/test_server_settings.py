"""What follows from the options of a server: what is asked, and who waits."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.admission import SETTINGS
from ucspi_py.core.client.limits import NETWORK
from ucspi_py.core.dnsbl.settings import DnsblSettings
from ucspi_py.core.dnsbl.zone import parse
from ucspi_py.core.gate.milter.service import parse_milter
from ucspi_py.core.gate.milter.settings import GateMilters
from ucspi_py.core.gate.settings import GateSettings
from ucspi_py.core.greylist.settings import GreylistSettings
from ucspi_py.core.service.settings import Program

ZONES = Program((DnsblSettings((parse("bl.example"),), 60, 1.0),), ("true",))
GREYLIST = Program((GreylistSettings("db", 1, 2, 3, NETWORK, 60),), ("true",))
GATE = Program((), ("true",), GateSettings())
MILTERS = Program((), ("true",), GateSettings(milters=GateMilters((parse_milter("unix:milter"),))))


@pytest.mark.parametrize(
    ("changes", "names", "anything", "of_servers", "pending"),
    [
        ({}, False, False, False, False),
        ({"local_name": b""}, False, False, False, False),
        ({"local_name": None}, True, True, True, True),
        ({"remote_host": True}, True, True, True, True),
        ({"remote_info": True}, False, True, False, True),
        ({"reserve": 1}, False, False, False, True),
        ({"fleet": "redis://h/0"}, False, False, False, True),
        ({"program": ZONES}, False, False, True, True),
        ({"program": GREYLIST}, False, False, False, True),
        ({"program": GATE}, False, False, False, True),
        ({"program": MILTERS}, False, False, True, True),
    ],
)
def test_what_is_asked_and_who_waits(
    changes: dict[str, Any], names: bool, anything: bool, of_servers: bool, pending: bool
) -> None:
    """Without -h, -r and screens, and with -l, a client waits for nothing but its slot."""
    settings = replace(SETTINGS, **changes)

    assert settings.looks_up_names == names
    assert settings.looks_up == anything
    assert settings.asks_name_servers == of_servers
    assert settings.has_pending == pending
