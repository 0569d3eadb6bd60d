"""Access lists of other programs, as rules; and what rules cannot say of them."""

import pytest

from tests.support.rules_tools import table, text
from ucspi_py.core.importers.address_list import import_networks, import_spamdyke
from ucspi_py.core.importers.folder_entry import FolderEntry
from ucspi_py.core.importers.hosts.access import import_hosts
from ucspi_py.core.importers.imported import Imported
from ucspi_py.core.importers.ipsvd import import_ipsvd
from ucspi_py.core.importers.postfix.access import import_access
from ucspi_py.core.importers.postfix.cidr import import_cidr
from ucspi_py.core.importers.postfix.mynetworks import import_mynetworks
from ucspi_py.core.importers.s6 import import_s6
from ucspi_py.core.lint.lint import lint
from ucspi_py.core.rules.data import instructions
from ucspi_py.core.rules.match import match

RELAY = b':allow,RELAYCLIENT=""'
SMTPD = frozenset(["smtpd"])


def _unsaid(found: Imported) -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in found.unsaid]


def _lines(found: Imported) -> list[bytes]:
    """The rules of an import; whatever comes out has to be fine."""
    assert not [one for one in lint(text(found.lines)) if "open relay" not in one.sentence], found.lines
    table(*found.lines)
    return list(found.lines)


def test_hosts_allow_and_deny() -> None:
    allow = """\
# who may
sshd: ALL
smtpd, imapd: 10. EXCEPT 10.1.2.3 : setenv RELAYCLIENT
ALL: 192.168.0.0/255.255.0.0, [2001:db8::]/32 \\
  127.0.0.1
smtpd: .Example.ORG, mail.example.net, *.example.com
smtpd: KNOWN : setenv X a"b : deny
"""

    found = import_hosts(allow, "smtpd: 10.1.\nALL: ALL EXCEPT 172.16.\n", SMTPD)

    assert _lines(found) == [
        b"10." + RELAY,
        b"10.1.2.3:deny",
        b"192.168.:allow",
        b"2001:db8::/32:allow",
        b"127.0.0.1:allow",
        b"=.example.org:allow",
        b"=mail.example.net:allow",
        b"=.example.com:allow",
        b"=:deny",
        b":deny",
        b"172.16.:deny",
    ]
    assert _unsaid(found) == [
        ("hosts.allow line 3", "10.1.2.3"),
        ("hosts.allow line 6", "=mail.example.net"),
        ("hosts.deny line 2", "172.16."),
    ]


def test_a_variable_of_hosts_allow_finds_its_quote() -> None:
    assert _lines(import_hosts('smtpd: 1.2.3.4: setenv X a"b: allow\n', "", SMTPD)) == [b"1.2.3.4:allow,X='a\"b'"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("smtpd", "smtpd"),
        ("smtpd: LOCAL", "LOCAL"),
        ("smtpd: UNKNOWN", "UNKNOWN"),
        ("smtpd: PARANOID", "PARANOID"),
        ("smtpd: /etc/hosts.smtp", "/etc/hosts.smtp"),
        ("smtpd: @netgroup", "@netgroup"),
        ("smtpd: joe@1.2.3.4", "joe@1.2.3.4"),
        ("smtpd: 1.2.3.4/33", "1.2.3.4/33"),
        ("smtpd: a?.example.org", "a?.example.org"),
        ("smtpd: 1.2.3.4: spawn (/bin/true) &", "spawn (/bin/true) &"),
        ("smtpd: 1.2.3.4: setenv X %h", "setenv X %h"),
        ("sshd: ALL", "the programs in them"),
    ],
)
def test_what_rules_cannot_say_of_hosts_allow(line: str, what: str) -> None:
    found = import_hosts(f"# one\n{line}\n", "", SMTPD)

    assert _unsaid(found) == [("all lines" if line.startswith("sshd") else "hosts.allow line 2", what)]


def test_an_exception_that_cannot_be_said_lets_nobody_in() -> None:
    """Who may be excepted from an allowing line is not allowed by it, who may be from a denying line is denied."""
    allow = import_hosts("smtpd: ALL EXCEPT @bad : setenv X y\n", "", SMTPD)
    deny = import_hosts("", "smtpd: ALL EXCEPT @good 10.\n", SMTPD)

    assert allow.lines == ()
    assert deny.lines == (b":deny", b"10.:allow")
    assert [len(allow.unsaid), len(deny.unsaid)] == [1, 1]


def test_an_exception_may_have_exceptions() -> None:
    """a EXCEPT b EXCEPT c is a EXCEPT (b EXCEPT c), as hosts_access(5) says."""
    found = import_hosts("", "smtpd: ALL EXCEPT 10. EXCEPT 10.1.\n", SMTPD)

    assert _lines(found) == [b":deny", b"10.:allow", b"10.1.:deny"]
    assert found.unsaid == ()


def test_a_daemon_may_be_excepted() -> None:
    """A line that excepts our daemon is not ours."""
    assert import_hosts("", "ALL EXCEPT smtpd: ALL\n", SMTPD).lines == ()
    assert import_hosts("", "ALL EXCEPT sshd: ALL\n", SMTPD).lines == (b":deny",)


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("sshd: 10.0.0.5\n", "all : all\n"),
        ("", "*: ALL\n"),
        ("", "smtpd@here: ALL\n"),
        ("", "ALL: all\n"),
        ("ALL: 10. except 10.0.0.5\n", "ALL: ALL\n"),
        ("smtpd: ALL: twist /bin/echo no\n", ""),
        ("smtpd: ALL: aclexec /bin/true\n", ""),
        ("smtpd: ALL: nonsense\n", ""),
        ("10.3.0.0/255.0.0.0: ALL\n", "ALL: ALL\n"),
        ("smtpd: 10.0.0.5/24\n", "ALL: ALL\n"),
        ("smtpd: .5\n", "ALL: ALL\n"),
        ("", "ALL: ALL"),
        ("", "ALL: @netgroup\n"),
        ("", "ALL: PARANOID\n"),
        ("smtpd: .bad.example.org : deny\nsmtpd: 10.\n", ""),
        ("smtpd: 10. EXCEPT .bad.example.org\n", "ALL: ALL\n"),
    ],
)
def test_hosts_allow_never_lets_in_whom_it_keeps_out(allow: str, deny: str) -> None:
    """A client at 10.0.0.5 is denied, with and without a name, whatever can be said of the files."""
    found = import_hosts(allow, deny, SMTPD)

    host = b"x.bad.example.org" if "bad" in allow else None
    assert _is_denied(found, b"10.0.0.5", host), found


def _is_denied(found: Imported, ip: bytes, host: bytes | None = None) -> bool:
    decided = match(table(*found.lines), ip, host)
    return decided is not None and instructions(decided.value).deny


@pytest.mark.parametrize(
    "pattern",
    ["10.0.0.0/0", "1.1.1.1/22", "130.15.0-255.", "300.1", "10.0.0.5/255.255.255.255", "10", "10.0.0.0/255.0.255.0"],
)
def test_an_odd_pattern_is_named(pattern: str) -> None:
    """What looks like something else than it is to libwrap is named with its line."""
    assert _unsaid(import_hosts(f"smtpd: {pattern}\n", "ALL: ALL\n", SMTPD)) == [("hosts.allow line 1", pattern)]


@pytest.mark.parametrize("before", ["", "myhostname = a\nmynetworks = 9.9.9.9\n# x\nmynetworks ="])
def test_mynetworks(before: str) -> None:
    found = import_mynetworks(before + " 127.0.0.0/8, !192.168.1.5 192.168.0.0/16,\n  [::1]/128 [fe80::]/10\n")

    assert _lines(found) == [
        b"127." + RELAY,
        b"192.168.1.5:allow",
        b"192.168." + RELAY,
        b"::1" + RELAY,
        b"fe80::/10" + RELAY,
    ]
    assert found.unsaid == ()


def test_what_rules_cannot_say_of_mynetworks() -> None:
    found = import_mynetworks("mynetworks = 10.0.0.0/8\n hash:/etc/networks /etc/more $mydomain")

    assert found.lines == (b"10." + RELAY, b":allow")
    assert [what for _, what in _unsaid(found)] == ["hash:/etc/networks", "/etc/more", "$mydomain"]


@pytest.mark.parametrize(
    ("value", "relays", "others"),
    [
        ("10.0.0.5 !cidr:/x 10.0.0.0/8", b"10.0.0.5", b"10.0.0.6"),
        ("10.0.0.5 /etc/more 10.0.0.0/8", b"10.0.0.5", b"10.0.0.6"),
        ("10.0.0.5 $more 10.0.0.0/8", b"10.0.0.5", b"10.0.0.6"),
        ("10.0.0.5 ::1 10.0.0.0/8", b"10.0.0.5", b"10.0.0.6"),
        ("10.0.0.5 10.0.0.1/8 10.0.0.0/8 [::1]", b"::1", b"10.0.0.6"),
        ("10.0.0.5 !cidr:{ {10.0.0.0/8 OK} }", b"10.0.0.5", b"10.0.0.6"),
        ("10.0.0.5 example.org cidr:/x !11.0.0.0/8 10.0.0.0/8", b"10.0.0.6", b"11.0.0.6"),
    ],
)
def test_who_may_be_excepted_from_mynetworks_may_not_relay(value: str, relays: bytes, others: bytes) -> None:
    """What Postfix reads elsewhere, or cannot read, ends the list at its own place."""
    found = import_mynetworks(value)

    decided = [match(table(*found.lines), ip) for ip in (relays, others)]
    assert [one is not None and b"RELAYCLIENT" in one.value for one in decided] == [True, False]
    assert found.unsaid


def test_main_cf_without_mynetworks_says_nothing_and_why() -> None:
    """The default of mynetworks depends on the host, so that there is nothing to read."""
    found = import_mynetworks("myhostname = a\nmynetworks_style = subnet\nrelay_domains = 10.0.0.0/8\n")

    assert found.lines == ()
    assert _unsaid(found) == [("all lines", "mynetworks")]


def test_a_cidr_table() -> None:
    """The first line decides; what is inside an if is about that network only."""
    found = import_cidr(
        """\
# comment
10.1.2.3\tOK
10.0.0.0/8 REJECT
[2001:db8::]/32   DUNNO
if 172.16.0.0/12
!172.16.5.0/24 DEFER
172.16.5.9 reject
endif
10.1.2.0/24 OK
192.168.0.0/16 1234567890
"""
    )

    assert _lines(found) == [
        b"10.1.2.3:allow",
        b"10.:deny",
        b"2001:db8::/32:allow",
        b"172.16.0.0/12:deny",
        b"172.16.5.:allow",
        b"172.16.5.9:deny",
        b"192.168.:allow",
    ]
    assert found.unsaid == ()


def test_a_negated_network_is_about_its_own_family() -> None:
    """No IPv6 client is outside of an IPv4 network."""
    found = import_cidr("if !10.0.0.0/8\n9.0.0.0/8 OK\nendif\n!1.0.0.0/8 REJECT\n1.1.0.0/16 REJECT\n")

    assert _lines(found) == [b"9.:allow", b"0.0.0.0/0:deny", b"1.:allow", b"1.1.:deny"]
    assert not _is_denied(found, b"2001:db8::1")
    assert import_cidr("if !::1\n10.0.0.5 OK\nendif\n10.0.0.0/8 REJECT\n").lines == (b"10.:deny",)


@pytest.mark.parametrize(
    "action", ["DISCARD", "HOLD", "some_class", "DEFER_IF_PERMIT", "FILTER smtp:x", "OK, reject", "550 x"]
)
def test_an_action_that_cannot_be_said_denies_at_its_place(action: str) -> None:
    """A wider OK behind it does not let in whom it is about."""
    assert import_cidr(f"10.0.0.5/32 {action}\n10.0.0.0/8 OK\n").lines == (b"10.0.0.5:deny", b"10.:allow")
    assert import_access(f"10.0.0.5 {action}\n10 OK\n").lines[0] == b"10.0.0.5:deny"


@pytest.mark.parametrize("action", ["OK text", "DUNNO text", "RELAY", "ok", "permit", "1234"])
def test_an_action_that_lets_in(action: str) -> None:
    """A text behind OK and DUNNO does not count."""
    found = import_cidr(f"10.0.0.5 {action}\n10.0.0.0/8 REJECT\n")

    assert found.lines == (b"10.0.0.5:allow", b"10.:deny")
    assert found.unsaid == ()


def test_what_rules_cannot_say_of_a_cidr_table() -> None:
    """A line that Postfix skips is skipped here too; what it does not do is denied or named."""
    found = import_cidr(
        "1.2.3.4 550 go away\n1.2.3.5 REJECT no\n1.2.3.6 HOLD\nhost OK\n1.2.3.7\nif x\n1.2.3.8 OK\nendif\n"
        "1.2.3.9 OK\n1.2.3.9/24 REJECT"
    )

    assert found.lines == (b"1.2.3.4:deny", b"1.2.3.5:deny", b"1.2.3.6:deny", b"1.2.3.8:allow", b"1.2.3.9:allow")
    assert _unsaid(found) == [
        ("line 1", "550 go away"),
        ("line 2", "REJECT no"),
        ("line 3", "HOLD"),
        ("line 4", "host"),
        ("line 5", "no action"),
        ("line 6", "if x"),
        ("line 8", "endif"),
        ("line 10", "1.2.3.9/24"),
    ]


def test_an_access_table() -> None:
    """Names are looked for before addresses there, so what is allowed by its address may be denied by its name."""
    found = import_access(
        """\
1.2.3.4 OK
1.2.3 REJECT
10      OK
2001:db8:1 REJECT
Example.ORG REJECT
"""
    )

    assert _lines(found) == [
        b"1.2.3.4:deny",
        b"1.2.3.:deny",
        b"2001:db8:1::/48:deny",
        b"=example.org:deny",
        b"=.example.org:deny",
    ]
    assert _unsaid(found) == [("line 1", "1.2.3.4")]


def test_an_access_table_of_addresses() -> None:
    """Of addresses the narrowest counts, as in rules."""
    found = import_access("1.2.3.4 OK\n1.2.3 REJECT\n2001:db8::5 OK\n2001:db8 REJECT\n")

    assert _lines(found) == [b"1.2.3.4:allow", b"1.2.3.:deny", b"2001:db8::5:allow", b"2001:db8::/32:deny"]
    assert found.unsaid == ()


def test_an_unknown_client_of_an_access_table_has_no_name() -> None:
    """Postfix calls a client without a name unknown."""
    found = import_access("unknown REJECT\n")

    assert _is_denied(found, b"1.2.3.4")
    assert not _is_denied(found, b"1.2.3.4", b"example.org")


def test_what_rules_cannot_say_of_an_access_table() -> None:
    """Keys about mail addresses are never asked for a client, those twice or without action are not in the table."""
    found = import_access(
        "joe@example.org REJECT\njoe@ OK\n1.2.3.0/24 OK\n1.2.3.4\n  450 later\n1.2.3.5 permit_sasl\n1.2.3.4 OK\nx\n"
        ".example.org REJECT\n"
    )

    assert found.lines == (b"1.2.3.4:deny", b"1.2.3.5:deny", b"=.example.org:deny")
    assert _unsaid(found) == [
        ("line 1", "joe@example.org"),
        ("line 2", "joe@"),
        ("line 3", "1.2.3.0/24"),
        ("line 4", "450 later"),
        ("line 6", "permit_sasl"),
        ("line 7", "1.2.3.4"),
        ("line 8", "x"),
        ("line 9", ".example.org"),
    ]


def test_an_ipsvd_directory() -> None:
    """Each file is a rule; a host's is its domain's as well."""
    found = import_ipsvd(
        [
            FolderEntry("0", 0o644, b"# everybody\n\n"),
            FolderEntry("10.1", 0o000, b""),
            FolderEntry("10.1.2.3", 0o600, b'+RELAYCLIENT=\n+X="\n'),
            FolderEntry("127", 0o600, b"C5\nC7\n"),
            FolderEntry("128", 0o600, b"C30:421 too many\\r\\n\n"),
            FolderEntry("129", 0o600, b"C0\n"),
            FolderEntry("example.org", 0o000, b""),
        ]
    )

    assert _lines(found) == [
        b":allow",
        b"10.1.:deny",
        b"10.1.2.3" + RELAY + b",X='\"'",
        b'127.:allow,MAXCONNIP="7"',
        b'128.:allow,MAXCONNIP="30",DIEMSG="421 too many"',
        b'129.:allow,MAXCONNIP="999999999"',
        b"=example.org:deny",
        b"=.example.org:deny",
    ]
    assert _unsaid(found) == [("example.org", "=example.org")]


def test_what_rules_cannot_say_of_an_ipsvd_directory() -> None:
    """A file that runs a program or looks up a host denies; a line that cannot be said is lost."""
    found = import_ipsvd(
        [
            FolderEntry("0", 0o600, b""),
            FolderEntry("1", 0o700, b"exec /bin/other\n"),
            FolderEntry("2", 0o600, b"=dyn.example.org:0\n"),
            FolderEntry("3", 0o600, b"+GONE\nC5:one\\ntwo\\n\nnonsense\n+X=\"'/|!+^~\n"),
            FolderEntry("5.", 0o600, b""),
            FolderEntry("a b", 0o600, b""),
        ]
    )

    assert found.lines == (b":allow", b"1.:deny", b"2.:deny", b'3.:allow,MAXCONNIP="5"')
    assert _unsaid(found) == [
        ("1", "exec /bin/other"),
        ("2", "=dyn.example.org:0"),
        ("3", "+GONE"),
        ("3", "C5:one\\ntwo\\n"),
        ("3", "nonsense"),
        ("3", "+X=\"'/|!+^~"),
        ("5.", "the file"),
        ("a b", "the file"),
    ]


def test_an_s6_directory() -> None:
    """A rule that has both files allows; one that has neither is none; whom no rule is about is denied."""
    found = import_s6(
        [
            FolderEntry("ip4/10.0.0.0_8/deny", 0o644, b""),
            FolderEntry("ip4/10.1.0.0_17/allow", 0o644, b""),
            FolderEntry("ip4/10.1.0.0_17/deny", 0o644, b""),
            FolderEntry("ip4/10.1.0.0_17/env/RELAYCLIENT", 0o644, b"\n"),
            FolderEntry("ip4/10.1.0.0_17/env/X", 0o644, b"a \nb\n"),
            FolderEntry("ip4/9.0.0.0_8/nothing", 0o644, b""),
            FolderEntry("ip6/2001:db8::_32/allow", 0o644, b""),
        ]
    )

    assert _lines(found) == [b"10.:deny", b"10.1.0.0/17" + RELAY + b',X="a"', b"2001:db8::/32:allow", b":deny"]
    assert found.unsaid == ()


def test_what_rules_cannot_say_of_an_s6_directory() -> None:
    """A rule with a program of its own denies, one under another name than s6 looks for is none."""
    found = import_s6(
        [
            FolderEntry("ip4/1.2.3.4_32/allow", 0o644, b""),
            FolderEntry("ip4/1.2.3.4_32/exec", 0o644, b"other"),
            FolderEntry("ip4/1.2.3.5_32/allow", 0o644, b""),
            FolderEntry("ip4/1.2.3.5_32/env/GONE", 0o644, b""),
            FolderEntry("ip4/1.2.3.5_32/env/ODD", 0o644, b"a\0b"),
            FolderEntry("ip4/1.2.3.5_24/allow", 0o644, b""),
            FolderEntry("ip4/x/allow", 0o644, b""),
            FolderEntry("reversedns/@/deny", 0o644, b""),
            FolderEntry("reversedns/example.org/allow", 0o644, b""),
            FolderEntry("uid/0/allow", 0o644, b""),
        ]
    )

    assert found.lines == (
        b"1.2.3.4:deny",
        b"1.2.3.5:allow",
        b"=:deny",
        b"=example.org:allow",
        b"=.example.org:allow",
        b":deny",
    )
    assert _unsaid(found) == [
        ("uid/0/allow", "the file"),
        ("ip4/1.2.3.4_32/exec", "the command line"),
        ("ip4/1.2.3.5_24", "the rule"),
        ("ip4/1.2.3.5_32/env/GONE", "GONE"),
        ("ip4/1.2.3.5_32/env/ODD", "ODD"),
        ("ip4/x", "the rule"),
    ]


def test_a_spamdyke_file() -> None:
    entries = (
        "011.022.033.044\n11.22.33\n11.22.\n11.22.33-44.55\n12.22-44\n1-2.3.4-5\n11.22.33.7/24\n11.0.0.0/255.128.0.0"
    )

    found = import_spamdyke(f"# comment\n{entries}\n", b"deny")

    assert _lines(found)[:-1] == [
        b"11.22.33.44:deny",
        b"11.22.33.:deny",
        b"11.22.:deny",
        b"11.22.33-44.55:deny",
        b"12.22-44.:deny",
        b"1.3.4-5.:deny",
        b"2.3.4-5.:deny",
    ]
    assert found.lines[-1] == b"11.0.0.0/9:deny"
    assert found.unsaid == ()


@pytest.mark.parametrize(
    ("entry", "denied", "allowed"),
    [
        ("host", (), ()),
        ("300.", (), ()),
        ("1.2.3.4/40", (), ()),
        ("1.2.3.4.5", (b"1.2.3.4",), (b"1.2.3.4",)),
        ("1.2.3.4 # c", (b"1.2.3.4",), (b"1.2.3.4",)),
        ("1.5-3.", (b"1.",), ()),
        ("1.0.0.0/255.0.255.0", (b"1.",), ()),
        ("joe@1.2.3.4", (b"1.2.3.4",), ()),
        ("0-9.0-254.0-254.1", tuple(b"%d.0-254." % octet for octet in range(10)), ()),
        ("1" * 5000 + ".", (b"111.",), ()),
    ],
)
def test_an_odd_entry_of_a_spamdyke_file(entry: str, denied: tuple[bytes, ...], allowed: tuple[bytes, ...]) -> None:
    """It is named; a list that denies takes it as spamdyke does, one that allows only as far as it is what it seems."""
    for say, expected in ((b"deny", denied), (b"allow", allowed)):
        found = import_spamdyke(entry, say)
        assert [line.partition(b":")[0] for line in found.lines] == list(expected)
        assert _unsaid(found) == [("line 1", entry)]


def test_names_in_a_spamdyke_file() -> None:
    """A name is its domain as well; a plain = is every name."""
    assert import_spamdyke("=Example.org\n=\n", b"deny").lines == (
        b"=example.org:deny",
        b"=.example.org:deny",
        b"=:deny",
    )


def test_a_list_of_networks() -> None:
    """Comments may stand behind an entry; one with bits beyond its prefix is not taken for the whole network."""
    entries = "1.10.16.0/20 ; SBL256894\n; c\n\n10.0.0.0-10.0.3.255 # two\n2001:DB8::/32\n1.2.3.4\n9.10.16.9/20\nx\n"

    found = import_networks(entries, b'allow,RELAYCLIENT=""')

    assert _lines(found) == [
        b"1.10.16.0/20" + RELAY,
        b"10.0.0.0/22" + RELAY,
        b"2001:db8::/32" + RELAY,
        b"1.2.3.4" + RELAY,
    ]
    assert _unsaid(found) == [("line 7", "9.10.16.9/20"), ("line 8", "x")]
    assert import_networks("9.10.16.9/20", b"deny").lines == (b"9.10.16.0/20:deny",)
    assert _unsaid(import_networks("1" * 5000 + "\n::/" + "1" * 5000, b"deny"))[1][0] == "line 2"
