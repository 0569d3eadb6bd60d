"""Relay tests as decisions: whom is tried, with what, and what the answers mean."""

from collections.abc import Sequence

import pytest

from ucspi_py.core.relaytest.clients import Lookups, classes
from ucspi_py.core.relaytest.probes import (
    Addresses,
    Expected,
    Probe,
    address_literal,
    of_stranger,
    of_trusted,
)
from ucspi_py.core.relaytest.script import Login, script
from ucspi_py.core.relaytest.verdict import Verdict, exit_code, judge
from ucspi_py.core.rules import cidr
from ucspi_py.core.rules.cidr import Network
from ucspi_py.core.rules.source import compiled
from ucspi_py.core.smtp.reply import Reply, reply

BOTH = Lookups(names=True, infos=True)
NEITHER = Lookups(names=False, infos=False)
ADDRESSES = Addresses(b"postmaster@example.org", b"r@example.com", b"[192.0.2.1]")


def found(rules: bytes, lookups: Lookups = NEITHER, networks: Sequence[Network] = ()) -> list[tuple[bytes | None, ...]]:
    """Address, name and ident answer of each client, and the rule that decides."""
    records = list(compiled(rules))
    known = classes(records, dict(reversed(records)).get, lookups, networks)
    return [(*one.client, one.key) for one in known]


def network(text: bytes) -> Network:
    parsed = cidr.network(text)
    assert parsed is not None
    return parsed


STRANGER = (b"192.0.2.77", None, None, None)
BY_DEFAULT = (b"192.0.2.77", None, None, b"")


class TestClients:
    """Who is tried."""

    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            (b"", [STRANGER]),
            (b":allow\n", [BY_DEFAULT]),
            (b":deny\n", [BY_DEFAULT]),
            (b'127.:allow,RELAYCLIENT=""\n:allow\n', [BY_DEFAULT, (b"127.77.77.77", None, None, b"127.")]),
            (b'10.9.8.7:allow,A="b"\n', [STRANGER, (b"10.9.8.7", None, None, b"10.9.8.7")]),
            (b'2001:db8::/48:allow,A="b"\n', [STRANGER, (b"2001:db8::4d", None, None, b":" + b"")]),
        ],
        ids=repr,
    )
    def test_one_of_each_rule(self, rules: bytes, expected: list[tuple[bytes | None, ...]]) -> None:
        """The stranger first, then an address about which the rule decides."""
        assert [one[:3] for one in found(rules)] == [one[:3] for one in expected]

    def test_what_is_said_twice_is_tried_once(self) -> None:
        """A thousand networks with the same variables are one class of clients."""
        rules = b"".join(b'10.%d.:allow,RELAYCLIENT=""\n' % number for number in range(256))
        assert len(found(rules + b":allow\n")) == 2

    def test_everybody_with_a_name_is_tried_where_more_is_said(self) -> None:
        """And not where the same is said of everybody."""
        assert found(b'=:allow,A="b"\n:allow,A="b"\n', BOTH) == [BY_DEFAULT]
        assert len(found(b'=:allow,A="b"\n:allow\n', BOTH)) == 2

    def test_nobody_is_tried_whom_a_rule_denies(self) -> None:
        assert found(b"10.:deny\n:allow\n") == [BY_DEFAULT]

    def test_a_stranger_is_nobody_of_whom_a_rule_knows(self) -> None:
        """A rule about the usual one has another taken."""
        assert found(b'192.0.2.:allow,RELAYCLIENT=""\n')[0] == (b"198.51.100.77", None, None, None)

    def test_a_stranger_is_in_no_network_that_may_relay(self) -> None:
        """As long as there is one."""
        networks = [network(b"192.0.2.0/24")]
        assert found(b"", NEITHER, networks) == [(b"198.51.100.77", None, None, None), STRANGER]
        networks = [network(b"0.0.0.0/1"), network(b"128.0.0.0/1")]
        assert found(b"", NEITHER, networks)[0] == STRANGER

    def test_the_client_of_a_rule_is_not_in_a_smaller_one(self) -> None:
        rules = b'10.:allow,RELAYCLIENT=""\n10.77.:deny\n10.1.1.1:allow,A="b"\n'
        assert found(rules)[1:] == [(b"10.254.254.254", None, None, b"10."), (b"10.1.1.1", None, None, b"10.1.1.1")]

    def test_a_rule_that_never_decides_has_no_client(self) -> None:
        """All that it could be about is somebody else's."""
        rules = b'10.1.1.:allow,A="b"\n' + b"".join(b"10.1.1.%d:allow\n" % number for number in range(256))
        assert found(rules) == [STRANGER]

    def test_rules_about_names_are_tried_where_names_are_looked_up(self) -> None:
        rules = b'=.example.org:allow,A="b"\n=a.example.net:allow,C="d"\njoe@10.1.1.1:allow,E="f"\n'
        assert found(rules, BOTH)[1:] == [
            (b"192.0.2.77", b"relaytest.example.org", None, b"=.example.org"),
            (b"192.0.2.77", b"a.example.net", None, b"=a.example.net"),
            (b"10.1.1.1", None, b"joe", b"joe@10.1.1.1"),
        ]
        assert found(rules, NEITHER) == [STRANGER]

    def test_everybody_is_a_stranger_whatever_is_said(self) -> None:
        """A rule that lets all relay makes an open relay, and so does one for all with a name."""
        records = list(compiled(b'10.:allow,RELAYCLIENT=""\n=:allow,RELAYCLIENT=""\n'))
        known = classes(records, dict(records).get, BOTH, ())
        assert [(one.key, one.is_stranger) for one in known] == [(None, True), (b"10.", False), (b"=", True)]

        records = list(compiled(b':allow,RELAYCLIENT=""\n10.:allow,RELAYCLIENT=""\n'))
        assert [one.is_stranger for one in classes(records, dict(records).get, BOTH, ())] == [True]

    def test_a_client_of_mynetworks(self) -> None:
        """Where no rule lets it relay by itself."""
        networks = (network(b"127.0.0.0/8"), network(b"10.1.0.0/16"), Network(128, 1, 128))
        rules = b'127.:allow,RELAYCLIENT=""\n:allow\n'
        assert found(rules, NEITHER, networks)[2:] == [(b"10.1.0.77", None, None, b"")]
        assert found(b":allow\n", NEITHER, networks[2:])[1:] == [(b"::1", None, None, b"")]
        assert [one.is_stranger for one in classes((), lambda _key: None, NEITHER, networks[2:])] == [True, False]


class TestProbes:
    """What is tried."""

    def test_a_stranger(self) -> None:
        probes = of_stranger(ADDRESSES, is_submission=False)
        assert [(probe.recipient, probe.expected) for probe in probes if probe.what in ("own", "elsewhere")] == [
            (b"postmaster@example.org", Expected.TAKEN),
            (b"r@example.com", Expected.REFUSED),
        ]
        assert {probe.recipient for probe in probes if probe.expected is Expected.STAYS} == {
            *(b"r%example.com", b"r%example.com@example.org", b"r%example.com@[192.0.2.1]"),
            *(b"example.com!r", b"example.com!r@example.org", b"example.com!r@[192.0.2.1]"),
            *(b'"r@example.com"', b'"r@example.com"@example.org', b'"r@example.com"@[192.0.2.1]'),
            *(b"r@example.com@example.org", b"r@example.com@[192.0.2.1]"),
        }
        assert {probe.recipient for probe in probes if probe.what == "source route"} == {
            b"@example.org:r@example.com",
            b"@[192.0.2.1]:r@example.com",
        }

    def test_forged_senders_prove_nothing(self) -> None:
        probes = [probe for probe in of_stranger(ADDRESSES, is_submission=False) if probe.sender]
        assert {probe.sender for probe in probes} == {
            *(b"postmaster@example.org", b"r@example.com", b"postmaster", b"postmaster@localhost"),
            b"postmaster@[192.0.2.1]",
        }
        assert {(probe.recipient, probe.expected) for probe in probes} == {(b"r@example.com", Expected.REFUSED)}

    def test_submission_need_not_take_mail_of_strangers(self) -> None:
        """RFC 6409, 4.3."""
        assert of_stranger(ADDRESSES, is_submission=True)[0].expected is Expected.ANY

    def test_without_an_address_of_its_own(self) -> None:
        """Everything else is tried."""
        probes = of_stranger(Addresses(None, b"r@example.com"), is_submission=False)
        assert "own" not in {probe.what for probe in probes}
        assert len(probes) == 7

    def test_who_may_relay(self) -> None:
        """As a user of the host sends."""
        assert of_trusted(ADDRESSES) == (
            Probe("own", b"postmaster@example.org", b"postmaster@example.org", Expected.TAKEN),
            Probe("elsewhere", b"postmaster@example.org", b"r@example.com", Expected.TAKEN),
        )

    def test_an_address_in_place_of_a_domain(self) -> None:
        """RFC 5321, 4.1.3."""
        assert address_literal(b"2001:db8::1") == b"[IPv6:2001:db8::1]"


class TestVerdicts:
    """What the answers mean."""

    @pytest.mark.parametrize(
        ("expected", "code", "verdict"),
        [
            (Expected.TAKEN, 250, Verdict.OK),
            (Expected.TAKEN, 550, Verdict.REFUSED),
            (Expected.TAKEN, 450, Verdict.UNTOLD),
            (Expected.TAKEN, None, Verdict.UNTOLD),
            (Expected.REFUSED, 250, Verdict.RELAYS),
            (Expected.REFUSED, 251, Verdict.RELAYS),
            (Expected.REFUSED, 554, Verdict.OK),
            (Expected.REFUSED, 451, Verdict.UNTOLD),
            (Expected.REFUSED, 354, Verdict.UNTOLD),
            (Expected.STAYS, 250, Verdict.LOOK),
            (Expected.STAYS, 553, Verdict.OK),
            (Expected.STAYS, None, Verdict.UNTOLD),
            (Expected.ANY, 250, Verdict.OK),
            (Expected.ANY, 530, Verdict.OK),
        ],
    )
    def test_of_a_reply(self, expected: Expected, code: int | None, verdict: Verdict) -> None:
        probe = Probe("", b"", b"r@example.com", expected)
        assert judge(probe, None if code is None else reply(code, b"x"), keeps=False) is verdict

    def test_what_is_known_to_stay_is_well(self) -> None:
        """And nothing else is, by that."""
        probe = Probe("", b"", b"r%example.com@example.org", Expected.STAYS)
        assert judge(probe, reply(250, b"ok"), keeps=True) is Verdict.OK
        assert judge(probe._replace(expected=Expected.REFUSED), reply(250, b"ok"), keeps=True) is Verdict.RELAYS

    @pytest.mark.parametrize(
        ("verdicts", "code"),
        [
            ((Verdict.OK, Verdict.LOOK), 0),
            ((Verdict.OK, Verdict.UNTOLD), 111),
            ((Verdict.RELAYS, Verdict.UNTOLD), 1),
            ((Verdict.REFUSED,), 1),
            ((), 111),
        ],
    )
    def test_exit_codes(self, verdicts: Sequence[Verdict], code: int) -> None:
        """What was found counts more than what could not be told; nothing tried is nothing told."""
        assert exit_code(verdicts) == code


OK, NO, BYE = reply(250, b"ok"), reply(554, b"no"), reply(421, b"bye")
PROBES = (Probe("", b"a@b", b"c@d", Expected.TAKEN), Probe("", b"", b"e@f", Expected.REFUSED))


def spoken(*replies: Reply, login: Login | None = None) -> tuple[list[bytes], dict[Probe, Reply]]:
    """What is said to a server that replies so, and the answers."""
    answers: dict[Probe, Reply] = {}
    dialogue = script(b"x", login, PROBES, answers.__setitem__)
    said = [next(dialogue)]
    for one in replies:
        try:
            said.append(dialogue.send(one))
        except StopIteration:
            break
    return said, answers


class TestScript:
    """What is said."""

    def test_rset_behind_each_recipient_and_no_data(self) -> None:
        said, answers = spoken(reply(220, b"x"), OK, OK, OK, OK, OK, NO, OK, reply(221, b"bye"))
        assert said == [
            *(b"", b"EHLO x\r\n"),
            *(b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"RSET\r\n"),
            *(b"MAIL FROM:<>\r\n", b"RCPT TO:<e@f>\r\n", b"RSET\r\n"),
            b"QUIT\r\n",
        ]
        assert list(answers.values()) == [OK, NO]

    def test_a_sender_that_is_refused_has_no_recipient(self) -> None:
        said, answers = spoken(reply(220, b"x"), OK, NO)
        assert said[-1] == b"RSET\r\n"
        assert answers == {PROBES[0]: NO}

    def test_helo_where_ehlo_is_unknown(self) -> None:
        said, _ = spoken(reply(220, b"x"), reply(502, b"what?"), OK)
        assert said[-2:] == [b"HELO x\r\n", b"MAIL FROM:<a@b>\r\n"]

    def test_tls_where_it_is_offered(self) -> None:
        """And EHLO anew behind it (RFC 3207, 4.2)."""
        offers = reply(250, b"mx", b"STARTTLS")
        said, _ = spoken(reply(220, b"x"), offers, reply(220, b"go"), reply(250, b"mx"))
        assert said[1:] == [b"EHLO x\r\n", b"STARTTLS\r\n", b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n"]
        said, _ = spoken(reply(220, b"x"), offers, reply(454, b"not now"))
        assert said[2:] == [b"STARTTLS\r\n", b"MAIL FROM:<a@b>\r\n"]

    def test_a_login(self) -> None:
        """By PLAIN where it is offered, by LOGIN where nothing else is; whoever is not let in is refused everything."""
        login = Login(b"joe", b"x")
        assert repr(login) == "Login(b'joe')"
        plain, other = reply(250, b"mx", b"AUTH LOGIN PLAIN"), reply(250, b"mx", b"AUTH LOGIN")

        said, _ = spoken(reply(220, b"x"), plain, reply(235, b"in"), login=login)
        assert said[2:] == [b"AUTH PLAIN AGpvZQB4\r\n", b"MAIL FROM:<a@b>\r\n"]
        said, _ = spoken(reply(220, b"x"), other, reply(334, b""), reply(235, b"in"), login=login)
        assert said[2:] == [b"AUTH LOGIN am9l\r\n", b"eA==\r\n", b"MAIL FROM:<a@b>\r\n"]

        said, answers = spoken(reply(220, b"x"), OK, reply(500, b"what?"), login=login)
        assert said[2:] == [b"AUTH PLAIN AGpvZQB4\r\n", b"QUIT\r\n"]
        assert len(answers) == len(PROBES)

        wrong = reply(535, b"wrong")
        said, answers = spoken(reply(220, b"x"), other, wrong, login=login)
        assert said[-1] == b"QUIT\r\n"
        assert answers == dict.fromkeys(PROBES, wrong)
        assert spoken(reply(220, b"x"), plain, reply(454, b"later"), login=login)[1] == {}

    def test_a_greeting_that_refuses_refuses_all(self) -> None:
        said, answers = spoken(NO)
        assert said == [b"", b"QUIT\r\n"]
        assert answers == dict.fromkeys(PROBES, NO)

    @pytest.mark.parametrize(
        ("replies", "answered"), [((reply(450, b"x"),), 0), ((reply(220, b"x"), OK, OK, OK, BYE), 1)]
    )
    def test_who_hangs_up_has_not_answered(self, replies: Sequence[Reply], answered: int) -> None:
        assert len(spoken(*replies)[1]) == answered

    def test_a_reply_that_hangs_up_answers_nothing(self) -> None:
        assert spoken(reply(220, b"x"), OK, OK, BYE)[1] == {}
