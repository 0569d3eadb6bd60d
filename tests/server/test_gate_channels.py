"""Classes of clients: a rule sets $CHANNEL, and each class has its restriction list, and its backend knows it."""

from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.backends.known import Scripted
from tests.support.gate import controls, gated
from tests.support.saslauthd import Saslauthd

INTERNAL, CUSTOMER, EXTERNAL, CLOSED = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
RULES = f"""\
{INTERNAL}:allow,CHANNEL="internal",RELAYCLIENT=""
{CUSTOMER}:allow,CHANNEL="customer"
{CLOSED}:allow,CHANNEL="closed"
:allow
"""
MAIN_CF = """\
compatibility_level = 3.6
mynetworks =
mydestination = example.org
local_recipient_maps =
smtpd_restriction_classes = internal, customer
internal = permit_mynetworks
customer = check_recipient_access inline:{list@example.org=OK}, reject_unauth_destination, check_helo_access
    inline:{{pc = REJECT say your whole name}}
smtpd_recipient_restrictions =
    check_channel_access inline:{internal=internal, customer=customer, {closed = 421 4.3.2 later}}
    reject_unauth_destination, check_recipient_access inline:{{list@example.org = REJECT not for you}}
"""
OWN, LIST, ELSEWHERE = "r@example.org", "list@example.org", "r@example.com"


def test_each_class_is_treated_apart(tmp_path: Path) -> None:
    """And whoever is in none, by what stands behind."""
    backend = Scripted(tmp_path / "backend")
    (tmp_path / "main.cf").write_text(MAIN_CF)
    controls(tmp_path / "control")

    with gated(backend.argv, tmp_path, rules=RULES, file=tmp_path / "main.cf") as gate:

        def hears(source: str, recipient: str) -> str:
            steps = [b"EHLO pc", b"MAIL FROM:<s@example.net>", f"RCPT TO:<{recipient}>".encode()]
            return gate.converse(steps, source=source)[-1].decode()

        said = {
            (source, recipient): hears(source, recipient).partition(" ")[0]
            for source in (INTERNAL, CUSTOMER, EXTERNAL, CLOSED)
            for recipient in (OWN, LIST, ELSEWHERE)
        }

    taken = {place for place, code in said.items() if code == "250"}
    assert taken == {(INTERNAL, OWN), (INTERNAL, LIST), (INTERNAL, ELSEWHERE), (CUSTOMER, LIST), (EXTERNAL, OWN)}
    assert said[CLOSED, OWN] == said[CLOSED, LIST] == "421"
    channels = [visit.environment.get(b"CHANNEL") for visit in backend.visits()]
    assert channels == [b"internal"] * 3 + [b"customer"] + [None]


def test_a_login_puts_a_client_into_a_class(tmp_path: Path) -> None:
    """For the lists and for its backend, from the login on."""
    backend = Scripted(tmp_path / "backend")
    lists = "smtpd_recipient_restrictions=check_channel_access inline:{authenticated=permit, external=reject}"
    rules = ':allow,CHANNEL="external"\n'
    with Saslauthd({"joe": "s3cret"}) as daemon:
        parameters = ["smtpd_sasl_auth_enable=yes", "smtpd_tls_auth_only=no", "smtpd_sasl_type=saslauthd"]
        parameters += [f"smtpd_sasl_path={daemon.path}", "smtpd_sasl_channel=authenticated", lists]
        parameters += ["smtpd_relay_restrictions=permit_sasl_authenticated, reject_unauth_destination"]
        with gated(backend.argv, tmp_path, rules=rules, parameters=parameters) as gate:
            steps = [b"EHLO pc", b"MAIL FROM:<s@example.net>", f"RCPT TO:<{OWN}>".encode()]
            login = b"AUTH PLAIN " + b64encode(b"\0joe\0s3cret")
            refused, taken = gate.converse(steps)[-1], gate.converse([steps[0], login, *steps[1:]])[-1]

    assert (refused[:4], taken[:4]) == (b"554 ", b"250 ")
    assert backend.last().environment[b"CHANNEL"] == b"authenticated"


@pytest.mark.parametrize("said", [b"XCLIENT CHANNEL=internal", b"MAIL FROM:<s@example.net> CHANNEL=internal"])
def test_no_client_puts_itself_into_a_class(said: bytes, tmp_path: Path) -> None:
    backend = Scripted(tmp_path / "backend")
    (tmp_path / "main.cf").write_text(MAIN_CF)

    with gated(backend.argv, tmp_path, rules=RULES, file=tmp_path / "main.cf") as gate:
        heard = gate.converse([b"EHLO pc", said], source=EXTERNAL)[-1]

    assert heard[:1] == b"5"
