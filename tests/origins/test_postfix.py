"""mynetworks, cidr: and hash: access tables beside Postfix's own programs and library."""

import random
from pathlib import Path

import pytest

from tests.support.origins import Client, asked_mynetworks, asked_postmap, held_against, said, words
from tests.support.rules_tools import table
from ucspi_py.core.importers.postfix.access import import_access
from ucspi_py.core.importers.postfix.cidr import import_cidr
from ucspi_py.core.importers.postfix.mynetworks import import_mynetworks

_IPS = ["10.0.0.5", "10.0.1.5", "11.0.0.1", "9.1.2.3", "192.168.1.1", "::1", "2001:db8::5", "2001:db8:0:1:2:3:4:5"]
_IPS += ["2001:db8:1::5", "fe80::1", "1.2.3.4"]
_IPS += ["2001:db8::5:6", "2001:db8::6:5:0", "::1:2", "2001:0:0:1::5"]
_HOSTS = [None, "example.org", "x.example.org", "badexample.org", "y.x.example.org", "net"]
_CLIENTS = [Client(ip, host) for ip in _IPS for host in _HOSTS]

_CIDR_PATTERNS = words("""
10.0.0.0/8 10.0.0.5 10.0.0.5/24 10.0.0.0/08 10.0.0.0/33 10.0.0.0/0 0.0.0.0/0 ::/0 [::1] [::1]/128 [10.0.0.0/8]
[10.0.0.0]/23 2001:db8::/32 2001:db8::5 2001:DB8::/33 ::ffff:10.0.0.0/104 host 010.0.0.0/8 10.0.0.0/ 10.0.0.0/255.0.0.0
[::1 fe80::/10 192.168.0.0/16 2001:db8::1/32 10.0.0/24 1.2.3 1.2.3.4/32""")
_ACTIONS = words(
    """\
OK|ok text|REJECT|reject go away|DUNNO|dunno text|RELAY|DEFER|DEFER later|550 no|450 later|550|123456789|permit|PERMIT x
HOLD|DISCARD|DEFER_IF_PERMIT|DEFER_IF_REJECT|FILTER smtp:x|REDIRECT a@b|PREPEND X: y|WARN x|INFO|OK, reject|some_class
reject_unauth_destination, reject|permit_mynetworks, reject|check_client_access hash:/x|5505 x|BCC a@b|""",
    "|",
)
_KEYS = words("""
1.2.3.4 1.2.3 1.2.3. 1.2 10 10.0.0 10.0.0.5 010 10.0.0.05 10.0.0.0/8 300 300.1 Example.ORG example.org .example.org
x.example.org org net unknown UNKNOWN joe@example.org joe@ 2001:db8 2001:db8::5 2001:DB8:1 2001:db8:0 2001:db8:0:1
2001:db8: 2001:db8::6:5 2001:0:0:1: 2001:db8::0:5 2001:0db8 ::1 :: ::ffff:10.0.0.5 [10.0.0.5] fe80 fe80::1
example.org. h!x 0 2001""")
_MYNETWORKS = words("""
10.0.0.0/8 10.0.0.5 10.0.0.5/24 10.0.0.0/08 010.0.0.5 10. 10 10.0.0.0/33 10.0.0.0/ 10.0.0.0/8x 0.0.0.0/0 [::]/0 [::1]
[::1]/128 [::1]/127 [10.0.0.5] [10.0.0.0/8] [10.0.0.0]/8 10.0.0.0/255.0.0.0 300.0.0.0/8 [::1 [::1]x
[fe80::]/10 example.org .example.org 1.2.3.4 192.168.0.0/16 [2001:db8::]/32 [2001:DB8::5] x{10.0.0.5}
static:10.0.0.5 [::ffff:10.0.0.5] 11.0.0.1/32""")


def _is_allowed(action: str | None) -> bool:
    """What smtpd makes of an action, if nothing behind it refuses the client (check_table_result)."""
    word, _, text = (action or "DUNNO").partition(" ")
    if word.upper() in ("OK", "RELAY", "DUNNO", "INFO", "WARN") or (action or "").lower() == "permit":
        return True
    return word.isdigit() and not text


def _cidr_line(draw: random.Random) -> str:
    nots = draw.choice(("", "", "", "", "!", "! ", "!!"))
    kind = draw.random()
    if kind < 0.12:
        return draw.choice(("if", "IF ", "if ")) + nots + draw.choice(_CIDR_PATTERNS)
    if kind < 0.22:
        return draw.choice(("endif", "ENDIF", "endif x", "ifx 1", "if", " 10.0.0.0/8 OK", "# x", ""))
    return f"{nots}{draw.choice(_CIDR_PATTERNS)}{draw.choice((' ', chr(9)))}{draw.choice(_ACTIONS)}"


def test_nobody_gets_in_whom_a_cidr_table_keeps_out(tmp_path: Path) -> None:
    """Of random tables, clients get what the action says that postmap finds, or are denied and it is named why."""
    draw = random.Random(1)
    for number in range(50):
        text = "".join(_cidr_line(draw) + "\n" for _ in range(draw.randint(1, 7)))
        (tmp_path / str(number)).write_text(text)

        found = asked_postmap(tmp_path / str(number), "cidr", _IPS)

        clients = [Client(ip) for ip in _IPS]
        held_against(import_cidr(text), clients, [_is_allowed(found.get(ip)) for ip in _IPS], text)


def _looked_up(client: Client) -> list[str]:
    """The keys that smtpd asks an access table for (check_namadr_access)."""
    host = client.host or "unknown"
    names = [".".join(host.split(".")[start:]) for start in range(host.count(".") + 1)]
    separator = ":" if ":" in client.ip else "."
    parts = client.ip.split(separator)
    return names + [key for end in range(len(parts), 0, -1) if (key := separator.join(parts[:end]))]


def test_nobody_gets_in_whom_an_access_table_keeps_out(tmp_path: Path) -> None:
    """Of random tables, clients get what the first action says that postmap finds for them, or are denied."""
    draw = random.Random(1)
    asked = sorted({key for client in _CLIENTS for key in _looked_up(client)})
    for number in range(40):
        lines = [f"{draw.choice(_KEYS)} {draw.choice(_ACTIONS)}\n" for _ in range(draw.randint(1, 6))]
        text = "".join(draw.choice(("", "", "# x\n")) + line for line in lines)
        (tmp_path / str(number)).write_text(text)

        found = asked_postmap(tmp_path / str(number), "hash", asked)

        actions = [next((found[key] for key in _looked_up(client) if key in found), None) for client in _CLIENTS]
        held_against(import_access(text), _CLIENTS, map(_is_allowed, actions), text)


def _may_relay(text: str, clients: list[Client]) -> list[bool]:
    get = table(*import_mynetworks(text).lines)
    return [not (one := said(get, client)).deny and (b"RELAYCLIENT", b"") in one.variables for client in clients]


def test_nobody_may_relay_whom_mynetworks_leaves_out() -> None:
    """Of random values, only clients may relay whom Postfix finds in them, and all of them where nothing is named."""
    draw = random.Random(1)
    values = list(_MYNETWORKS)
    for _ in range(300):
        some = [draw.choice(("", "", "", "!", "!!")) + draw.choice(_MYNETWORKS) for _ in range(draw.randint(1, 5))]
        values.append(draw.choice((" ", ", ", ",")).join(some))

    for value, inside in zip(values, asked_mynetworks([(value, _CLIENTS) for value in values]), strict=True):
        relays = _may_relay(value, _CLIENTS)
        assert all(is_in for relay, is_in in zip(relays, inside, strict=True) if relay), value
        assert relays == inside or import_mynetworks(value).unsaid, value


@pytest.mark.parametrize("value", ["[::1] 10.0.0.5", "11.0.0.1,1.2.3.4"])
def test_mynetworks_is_read_from_main_cf_or_alone(value: str) -> None:
    """main.cf says the same as the value that postconf prints."""
    folded = value.replace(" ", "\n  ")

    relays = [_may_relay(text, _CLIENTS) for text in (value, f"# x\nmynetworks = 9.1.2.3\nmynetworks =\n  {folded}\n")]

    assert relays == 2 * asked_mynetworks([(value, _CLIENTS)])
