"""What the rules programs cost to start: cron jobs and make run them by the hundred."""

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import ours

pytestmark = pytest.mark.alone

ROUNDS, PAIRS = 3, 15
BUDGET = 3.0

#: The program with its own entry, which then says what it has loaded.
SCRIPT = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from ucspi_py.cli.{program} import main
main()
"""

#: A screen that says what it has loaded instead of becoming the program behind it.
SCREEN = """
import os, sys
os.execve = lambda *_program: (print(*sys.modules, flush=True), os._exit(0))
from ucspi_py.cli.{program} import main
main()
"""


@pytest.mark.parametrize(("program", "arguments"), [("tcprules", ["cdb", "tmp"]), ("tcprulescheck", ["cdb"])], ids=str)
def test_the_rules_programs_load_no_server(program: str, arguments: list[str], tmp_path: Path) -> None:
    """Neither asyncio nor dns, nor anything that only the server needs."""
    subprocess.run([ours("pytcprules"), "cdb", "tmp"], cwd=tmp_path, input=b":deny\n", check=True)

    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(program=program), *arguments],
        cwd=tmp_path,
        input=b":deny\n",
        capture_output=True,
        check=True,
    )

    loaded = done.stderr.decode().split()
    assert "cdblib" in loaded
    packages = {name.partition(".")[0] for name in loaded}
    assert not packages & {"asyncio", "dns", "logging", "multiprocessing", "selectors", "socket", "ssl", "subprocess"}


def test_the_rules_programs_start_quickly(tmp_path: Path) -> None:
    """Within three times a bare Python; one round of three is enough, so that a busy machine is no failure."""
    bare = [sys.executable, "-I", "-c", "pass"]
    for program in ([ours("pytcprules"), "cdb", "tmp"], [ours("pytcprulescheck"), "cdb"]):
        assert any(_ratio(program, bare, tmp_path) <= BUDGET for _ in range(ROUNDS)), program


def _ratio(program: Sequence[str], bare: Sequence[str], folder: Path) -> float:
    """How many times as long one takes as the other, by the medians of runs in turn."""
    times = [(_seconds(program, folder), _seconds(bare, folder)) for _ in range(PAIRS)]
    return statistics.median(ours for ours, _ in times) / statistics.median(bare for _, bare in times)


def _seconds(argv: Sequence[str], folder: Path) -> float:
    """Of a processor: a wait for one is nobody's fault."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("program", "options", "environment"),
    [
        ("chain.rblsmtpd", ["-i", "-r", "bl.example"], {"RBLSMTPD": "No"}),
        ("chain.rblsmtpd", ["-r", "bl.example"], {"RBLSMTPD": ""}),
        ("greylist.commands", ["-s", "db"], {"RELAYCLIENT": ""}),
        ("relay.commands", ["check", "-s", "db"], {"RELAYCLIENT": ""}),
        ("relay.commands", ["check", "-s", "db"], {"RELAY": "never"}),
    ],
)
def test_a_screen_whose_environment_decides_loads_nobody_to_ask(
    program: str, options: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    """Neither asyncio nor dns nor a store: the program is started without them."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCREEN.format(program=program), *options, "true"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )

    packages = {name.partition(".")[0] for name in done.stdout.decode().split()}
    assert "ucspi_py" in packages
    assert not packages & {"asyncio", "dns", "multiprocessing", "redis", "sqlite3", "ssl"}


def test_a_server_without_tls_proxies_metrics_and_fleet_loads_nothing_of_them(tmp_path: Path) -> None:
    """It cannot listen, and says so once all is loaded."""
    arguments = ["-HRl0", "-v", "192.0.2.1", "0", "true"]
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(program="tcpserver"), *arguments],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )

    loaded = done.stderr.decode().split()
    assert done.returncode == 111
    assert "ucspi_py.system.service.worker" in loaded
    of_few = ("system.tls", "system.metrics", "core.client.proxy", "system.fleet", "core.fleet", "system.store")
    rooms = ("at_tls", "at_proxy", "metrics")
    unwanted = (*of_few, *(f"system.service.{room}" for room in rooms))
    assert not [name for name in loaded if name.startswith(tuple(f"ucspi_py.{one}" for one in unwanted))]


@pytest.mark.parametrize(
    ("option", "is_loaded"), [("relay_domains=our.example", False), ("compatibility_level=2", True)]
)
def test_a_gate_without_restriction_lists_loads_nothing_of_them(option: str, is_loaded: bool, tmp_path: Path) -> None:
    """Where it stands alone there is a process for each client."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(program="chain.smtpgate"), "-o", option, "true"],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TCPREMOTEIP": "127.0.0.1", "PROTO": "TCP"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )

    loaded = done.stderr.decode().split()
    assert "ucspi_py.system.gate.session" in loaded
    assert ("ucspi_py.core.gate.restrictions.configured" in loaded) == is_loaded
    assert ("ucspi_py.system.gate.lists.lookups" in loaded) == is_loaded
    assert "ucspi_py.core.gate.content.checked" not in loaded
    of_few = (
        *("ucspi_py.system.tls", "ucspi_py.system.gate.tls", "ucspi_py.system.gate.logins", "ucspi_py.system.auth"),
        *("ucspi_py.core.milter", "ucspi_py.system.gate.milter", "ucspi_py.core.gate.milter.settings"),
    )
    assert not [name for name in loaded if name.startswith(of_few)]
    assert not {"ucspi_py.core.gate.tls.configured", "ucspi_py.core.gate.logins.configured"} & set(loaded)


def test_who_waits_for_mail_waits_for_no_ledger(tmp_path: Path) -> None:
    """pyrelay allow tells the recorder; neither a loop nor a store nor OpenSSL nor another command is loaded."""
    start = SCREEN.format(program="relay.commands")
    done = subprocess.run(
        [sys.executable, "-I", "-c", start, "allow", "--socket", "none", "true"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "USER": "joe"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )

    loaded = done.stdout.decode().split()
    assert "ucspi_py.system.recorder.packets" in loaded
    assert not {"asyncio", "hashlib", "redis", "sqlite3", "ssl", "ucspi_py.cli.chain.program"} & set(loaded)
