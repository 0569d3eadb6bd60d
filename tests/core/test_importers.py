"""Access lists of other programs, as rules; and what rules cannot say of them."""

import pytest

from tests.support.rules_tools import table, text
from ucspi_py.core.importers.address_list import import_networks, import_spamdyke
from ucspi_py.core.importers.folder_entry import FolderEntry
from ucspi_py.core.importers.hosts_access import import_hosts
from ucspi_py.core.importers.imported import Imported
from ucspi_py.core.importers.ipsvd import import_ipsvd
from ucspi_py.core.importers.postfix import import_cidr, import_mynetworks
from ucspi_py.core.importers.postfix_access import import_access
from ucspi_py.core.importers.s6 import import_s6
from ucspi_py.core.rules_lint import lint

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
        b"172.16.:allow",
    ]
    assert _unsaid(found) == [("all lines", "their order between names and networks")]


def test_a_variable_of_hosts_allow_finds_its_quote() -> None:
    assert _lines(import_hosts('smtpd: 1.2.3.4: setenv X a"b: allow', "", SMTPD)) == [b"1.2.3.4:allow,X='a\"b'"]


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


@pytest.mark.parametrize("excepted", ["@bad", "10. EXCEPT 10.1."])
def test_an_exception_that_cannot_be_said_lets_nobody_in(excepted: str) -> None:
    allow = import_hosts(f"smtpd: ALL EXCEPT {excepted}\n", "", SMTPD)
    deny = import_hosts("", f"smtpd: ALL EXCEPT {excepted}\n", SMTPD)

    assert allow.lines == ()
    assert deny.lines[0] == b":deny"
    assert [why for _, _, why in allow.unsaid][-1] == "left out: it would let in those whom it excepts"
    assert len(deny.unsaid) == 1


def test_a_daemon_may_be_excepted() -> None:
    assert import_hosts("", "ALL EXCEPT smtpd: ALL", SMTPD).lines == ()
    assert import_hosts("", "ALL EXCEPT sshd: ALL", SMTPD).lines == (b":deny",)


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

    assert found.lines == (b"10." + RELAY,)
    assert [what for _, what in _unsaid(found)] == ["hash:/etc/networks", "/etc/more", "$mydomain"]


def test_a_cidr_table() -> None:
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
        b"172.16.5.:allow",
        b"172.16.0.0/12:deny",
        b"172.16.5.9:deny",
        b"192.168.:allow",
    ]
    assert found.unsaid == ()


def test_a_cidr_table_that_negates() -> None:
    found = import_cidr("if !10.0.0.0/8\n9.0.0.0/8 OK\nendif\n!1.0.0.0/8 REJECT\n1.1.0.0/16 REJECT\n")

    assert _lines(found) == [b"9.:allow", b":deny", b"1.:allow", b"1.1.:deny"]


def test_what_rules_cannot_say_of_a_cidr_table() -> None:
    found = import_cidr(
        "1.2.3.4 550 go away\n1.2.3.5 REJECT no\n1.2.3.6 HOLD\nhost OK\n1.2.3.7\nif x\n1.2.3.8 OK\nendif\n1.2.3.9 OK"
    )

    assert found.lines == (b"1.2.3.4:deny", b"1.2.3.5:deny", b"1.2.3.9:allow")
    assert _unsaid(found) == [
        ("line 1", "550 go away"),
        ("line 2", "REJECT no"),
        ("line 3", "HOLD"),
        ("line 4", "host"),
        ("line 5", "no action"),
        ("line 7", "1.2.3.8 OK"),
    ]


def test_an_access_table() -> None:
    found = import_access(
        """\
1.2.3.4 OK
1.2.3 REJECT
10      OK
2001:db8:1 REJECT
2001:db8::5 OK
Example.ORG REJECT
.example.net OK
"""
    )

    assert _lines(found) == [
        b"1.2.3.4:allow",
        b"1.2.3.:deny",
        b"10.:allow",
        b"2001:db8:1::/48:deny",
        b"2001:db8::5:allow",
        b"=example.org:deny",
        b"=.example.org:deny",
        b"=.example.net:allow",
    ]
    assert _unsaid(found) == [("all lines", "their order between names and addresses")]


def test_what_rules_cannot_say_of_an_access_table() -> None:
    found = import_access("joe@example.org REJECT\njoe@ OK\n1.2.3.0/24 OK\n1.2.3.4\n  450 later\n1.2.3.5 permit_sasl")

    assert found.lines == (b"1.2.3.4:deny",)
    assert _unsaid(found) == [
        ("line 1", "joe@example.org"),
        ("line 2", "joe@"),
        ("line 3", "1.2.3.0/24"),
        ("line 4", "450 later"),
        ("line 6", "permit_sasl"),
    ]


def test_an_ipsvd_directory() -> None:
    found = import_ipsvd(
        [
            FolderEntry("0", 0o644, b"# everybody\n\n"),
            FolderEntry("10.1", 0o000, b""),
            FolderEntry("10.1.2.3", 0o600, b'+RELAYCLIENT=\n+X="\n'),
            FolderEntry("127", 0o600, b"C5\n"),
            FolderEntry("128", 0o600, b"C30:421 too many\\r\\n\n"),
            FolderEntry("129", 0o600, b"C0\n"),
            FolderEntry("example.org", 0o400, b""),
        ]
    )

    assert _lines(found) == [
        b":allow",
        b"10.1.:deny",
        b"10.1.2.3" + RELAY + b",X='\"'",
        b'127.:allow,MAXCONNIP="5"',
        b'128.:allow,MAXCONNIP="30",DIEMSG="421 too many"',
        b'129.:allow,MAXCONNIP="999999999"',
        b"=example.org:allow",
        b"=.example.org:allow",
    ]
    assert _unsaid(found) == [("all files", "their order between names and networks")]


def test_what_rules_cannot_say_of_an_ipsvd_directory() -> None:
    found = import_ipsvd(
        [
            FolderEntry("1", 0o700, b"exec /bin/other\n"),
            FolderEntry("2", 0o600, b"=dyn.example.org:0\n"),
            FolderEntry("3", 0o600, b"+GONE\nC5:one\\ntwo\\n\nnonsense\n+X=\"'/|!+^~\n"),
            FolderEntry("a b", 0o600, b""),
        ]
    )

    assert found.lines == (b"# left out: 1.", b"# left out: 2.", b"3.:allow")
    assert _unsaid(found) == [
        ("1", "exec /bin/other"),
        ("2", "=dyn.example.org:0"),
        ("3", "+GONE"),
        ("3", "C5:one\\ntwo\\n"),
        ("3", "nonsense"),
        ("3", "+X=\"'/|!+^~"),
        ("a b", "the file"),
    ]


def test_an_s6_directory() -> None:
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
    found = import_s6(
        [
            FolderEntry("ip4/1.2.3.4_32/allow", 0o644, b""),
            FolderEntry("ip4/1.2.3.4_32/exec", 0o644, b"other"),
            FolderEntry("ip4/1.2.3.5_32/allow", 0o644, b""),
            FolderEntry("ip4/1.2.3.5_32/env/GONE", 0o644, b""),
            FolderEntry("ip4/1.2.3.5_32/env/ODD", 0o644, b"a\0b"),
            FolderEntry("ip4/x/allow", 0o644, b""),
            FolderEntry("reversedns/@/deny", 0o644, b""),
            FolderEntry("reversedns/example.org/allow", 0o644, b""),
            FolderEntry("uid/0/allow", 0o644, b""),
        ]
    )

    assert found.lines == (
        b"# left out: 1.2.3.4",
        b"1.2.3.5:allow",
        b"=:deny",
        b"=example.org:allow",
        b"=.example.org:allow",
        b":deny",
    )
    assert _unsaid(found) == [
        ("uid/0/allow", "the file"),
        ("ip4/1.2.3.4_32/exec", "the command line"),
        ("ip4/1.2.3.5_32/env/GONE", "GONE"),
        ("ip4/1.2.3.5_32/env/ODD", "ODD"),
        ("ip4/x", "the rule"),
        ("all rules", "their order between names and networks"),
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


def test_what_is_no_entry_of_a_spamdyke_file() -> None:
    found = import_spamdyke("host\n1.2.3.4.5\n300.\n5-3.\n1.2.3.4/40\n1.2.3.4 # c", b"deny")

    assert found.lines == ()
    assert [where for where, _ in _unsaid(found)] == [f"line {number}" for number in range(1, 7)]


def test_a_list_of_networks() -> None:
    entries = "1.10.16.0/20 ; SBL256894\n; c\n\n10.0.0.0-10.0.3.255 # two\n2001:DB8::/32\n1.2.3.4\n1.10.16.9/20\nx\n"

    found = import_networks(entries, b'allow,RELAYCLIENT=""')

    assert _lines(found) == [
        b"1.10.16.0/20" + RELAY,
        b"10.0.0.0/22" + RELAY,
        b"2001:db8::/32" + RELAY,
        b"1.2.3.4" + RELAY,
    ]
    assert _unsaid(found) == [("line 8", "x")]
