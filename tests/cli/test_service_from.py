"""The service of a run script: its options as pytcpserver has them; what only a shell knows is left out, and said."""

from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from ucspi_py.cli import service_from
from ucspi_py.cli.service_from import Service
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.errors import AskedWrongly, Failure

SMTPD = "/usr/bin/qmail-smtpd"
LEFT_OUT = [
    ("tcpserver -v 0 smtp {}", ()),
    ('tcpserver -v -l "$LOCAL" 0 smtp {}', ("pytcpserver -l $LOCAL: left out",)),
    ("tcpserver -vRl $LOCAL 0 smtp {}", ("pytcpserver -vRl $LOCAL: left out",)),
    ("tcpserver -vRl$LOCAL 0 smtp {}", ("pytcpserver -vRl$LOCAL: left out",)),
    ('tcpserver -c "$(cat /c)" -u $UID -g `id -g x` 0 smtp {}', (
        "pytcpserver -c $(cat /c): left out", "pytcpserver -u $UID: left out", "pytcpserver -g `id -g x`: left out",
    )),
    ("tcpserver --rate=$RATE $MORE -v 0 smtp {}", (
        "pytcpserver --rate=$RATE: left out", "pytcpserver $MORE: left out",
    )),
    ("tcpserver -v $OPTIONS 0 25 {}", ("$OPTIONS: left out",)),
    ('tcpserver -v "$IP" "$PORT" {}', ("$IP: taken as 0", "$PORT: taken as 0")),
    ('tcpserver 0 smtp pyrblsmtpd -r bl -r "$ZONE" -bt$SECONDS {}', (
        "pyrblsmtpd -r $ZONE: left out", "pyrblsmtpd -bt$SECONDS: left out",
    )),
    ('tcpserver 0 smtp pygreylist -s "$STORE" {}', (
        "pygreylist -s $STORE: left out", "pygreylist: left out as a whole",
    )),
    ('tcpserver 0 smtp pyrelay check -s "$STORE" {}', (
        "pyrelay -s $STORE: left out", "pyrelay: left out as a whole",
    )),
    ('tcpserver 0 smtp pyrelay check -s ledger {}', ()),
    ('tcpserver 0 smtp pysmtpgate -o mynetworks="$NETS" -o relay_domains=a.example {}', (
        "pysmtpgate -o mynetworks=$NETS: left out",
    )),
    ("# tcpserver -q 0 25 x\necho tcpserver starts\nexec /bin/tcpserver 0 smtp {} | logger -t tcpserver\n", ()),
    ("[Service]\nExecStart=/bin/sh -c 'exec tcpserver -l \"$$(head /me)\" 0 smtp {}'\n", (
        "pytcpserver -l $$(head /me): left out",
    )),
]  # fmt: skip


def service(folder: Path, text: str) -> Service:
    """What a script starts."""
    file = folder / "run"
    file.write_text(text.format(SMTPD))
    return service_from.read(str(file))


@pytest.mark.parametrize(("text", "left_out"), LEFT_OUT, ids=repr)
def test_what_only_a_shell_knows_is_left_out(text: str, left_out: tuple[str, ...], tmp_path: Path) -> None:
    """And nothing beside it; it is said as it is written."""
    found = service(tmp_path, text)

    assert found.left_out == left_out
    assert found.settings.program.argv[0] == SMTPD
    assert found.settings.verbosity == (2 if "-v" in text else 1)


def test_options_are_those_of_the_server(tmp_path: Path) -> None:
    """Each one, and those of the programs before another one."""
    found = service(
        tmp_path,
        "exec softlimit -m 1 pytcpserver --relay-key none -Hpx rules.cdb -C 3 --rate 60 -B hi -u nobody-here \\\n"
        "  ::1 2525 rblsmtpd -b -r bl pyrelay check -s ledger pygreylist -s db \\\n"
        "  pysmtpgate -o relay_domains=a.example {}\n",
    ).settings

    assert (found.host, found.port, found.rules, found.banner) == ("::1", "2525", "rules.cdb", b"hi")
    assert (found.remote_host, found.paranoid, found.uid) == (False, True, None)
    assert found.client_limits == ClientLimits(per_client=3, arrivals=60)
    assert [screen.log_name for screen in found.program.screens] == [b"rblsmtpd", b"relay", b"greylist"]
    assert found.program.gate and found.program.gate.relay_domains == {b"a.example"}


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("exec ./really-run\n", 111, "unable to find pytcpserver in"),
        ("exec tcpserver -Z 0 smtp {}\n", 100, "No such option"),
        ("exec tcpserver 0 smtp pysmtpgate -o mynetwork=1 {}\n", 100, "mynetwork"),
        ("exec tcpserver 'x 0 smtp {}\n", 111, "no closing quotation"),
    ],
)
def test_what_cannot_be_read(text: str, code: int, why: str, tmp_path: Path) -> None:
    """It is said, and no service is made of the rest."""
    with pytest.raises(Failure) as failure:
        service(tmp_path, text)

    assert failure.value.exit_code == code
    assert isinstance(failure.value, AskedWrongly) == (code == 100)
    assert why in failure.value.sentence


@pytest.mark.parametrize(
    "file", [*ROOT.glob("examples/**/smtpd/run"), *ROOT.glob("examples/**/smtpd.service")], ids=str
)
def test_the_examples_can_be_read(file: Path) -> None:
    """What they take from qmail's files is left out."""
    found = service_from.read(str(file))

    assert found.settings.rules == "/etc/tcp.smtp.cdb"
    assert {line.partition(":")[0].split()[1] for line in found.left_out} <= {"-l", "-c", "-u", "-g"}
