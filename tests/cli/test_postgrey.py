"""The command line of pypostgrey, which is postgrey's."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import ours
from ucspi_py.cli import djb_click
from ucspi_py.cli.postgrey import options
from ucspi_py.core.client.limits import Prefixes
from ucspi_py.core.errors import AskedWrongly
from ucspi_py.core.postgrey.settings import Daemon, Inet, Places, PostgreySettings

_WHO = ("--user", str(os.getuid()), "--group", str(os.getgid()))


def _settings(*words: str) -> PostgreySettings:
    return options.settings(djb_click.context(options.pypostgrey, "pypostgrey", ["-u", "/s", *_WHO, *words]))


def _run(*words: str) -> tuple[int, str]:
    done = subprocess.run([ours("pypostgrey"), *words], capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stderr


def test_the_defaults_are_postgreys() -> None:
    found = _settings()
    triplets = found.answering.triplets
    assert (triplets.delay, triplets.retry_window, triplets.max_age) == (300, 172_800, 3_024_000)
    assert (triplets.network, triplets.auto_whitelist_clients) == (Prefixes(24, 64), 5)
    assert triplets.store == "/var/lib/postgrey/pypostgrey.db"
    assert triplets.whitelist_clients == ("/etc/postgrey/whitelist_clients", "/etc/postgrey/whitelist_clients.local")
    assert found.answering.action == b"DEFER_IF_PERMIT"
    assert found.places == Places("/s", 0o666, None, 1024)
    assert (found.daemon, found.answering.zones, found.answering.closes) == (None, None, False)


def test_the_line_of_the_guides_is_taken() -> None:
    """guides.md, S1."""
    assert _settings("--unix=/var/spool/postfix/postgrey/socket", "--delay=60").answering.triplets.delay == 60


@pytest.mark.parametrize(("word", "seconds"), [("6h", 21_600), ("6H", 21_600), ("3", 259_200)])
def test_the_retry_window_is_in_days_or_hours(word: str, seconds: int) -> None:
    assert _settings(f"--retry-window={word}").answering.triplets.retry_window == seconds


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("10023", Inet("localhost", "10023")),
        ("127.0.0.1:10023", Inet("127.0.0.1", "10023")),
        ("[::1]:10023", Inet("::1", "10023")),
        ("*:10023", Inet("*", "10023")),
    ],
)
def test_a_port_is_one_of_localhost_unless_a_host_is_named(word: str, place: Inet) -> None:
    assert _settings(f"--inet={word}").places.inet == place


@pytest.mark.parametrize(
    ("words", "passes"), [((), 5), (("--auto-whitelist-clients",), 5), (("--auto-whitelist-clients=0",), 0)]
)
def test_auto_whitelist_clients_may_have_no_number(words: tuple[str, ...], passes: int) -> None:
    assert _settings(*words).answering.triplets.auto_whitelist_clients == passes


def test_a_file_may_grow_as_large_as_is_said() -> None:
    assert _settings().answering.triplets.max_size == 1 << 30
    assert _settings("--max-size=4G").answering.triplets.max_size == 4 << 30


@pytest.mark.parametrize("words", [("-unix", "/x"), ("--u=/x",), ("--unix", "/x"), ("-u", "/x")])
def test_a_name_stands_behind_one_dash_or_two(words: tuple[str, ...]) -> None:
    """Getopt::Long, as postgrey has it set."""
    assert _settings(*words).places.unix == "/x"


def test_a_value_may_begin_with_a_dash() -> None:
    assert _settings("--unix", "--exim").places.unix == "--exim"
    assert _settings("--auto-whitelist-clients", "--exim").answering.closes


@pytest.mark.parametrize("word", ["-unix=/x", "-u=/x", "-u/x", "-vd", "--un=/x", "--white=/x", "--UNIX=/x", "-rzone"])
def test_what_is_no_whole_name_is_an_unknown_option(word: str) -> None:
    """And not one letter with the rest behind it."""
    assert _run(word) == (1, f"Unknown option: {word.lstrip('-').split('=')[0] if word[1] == '-' else word[1:]}\n")


def test_an_option_without_a_value_takes_none() -> None:
    assert _run("--exim=1") == (1, "Option exim does not take an argument\n")


def test_a_zero_is_the_default() -> None:
    """As in postgrey."""
    triplets = _settings("--delay=0", "--max-age=0", "--ipv4cidr=0").answering.triplets
    assert (triplets.delay, triplets.max_age, triplets.network.ipv4) == (300, 3_024_000, 24)


def test_each_address_may_be_a_client_of_its_own() -> None:
    assert _settings("--lookup-by-host").answering.triplets.network == Prefixes(32, 128)


def test_a_daemon_has_a_facility_and_a_file() -> None:
    assert _settings("-d", "--pidfile=/p", "--facility=local3").daemon == Daemon("/p", 19)
    assert _settings("--pidfile=/p").daemon is None


def test_zones_are_written_as_for_pyrblsmtpd() -> None:
    """Options act in the order in which they are written."""
    zones = _settings("-r", "a.example*2", "-c", "-r", "b.example*3", "-T", "3/5", "-a", "c.example").answering.zones
    assert zones is not None
    assert [(zone.name, zone.allow, zone.fail_closed, zone.weight) for zone in zones.zones] == [
        (b"a.example", False, False, 2),
        (b"b.example", False, True, 3),
        (b"c.example", True, True, None),
    ]
    assert (zones.refuse_score, zones.bounce_score) == (3, 5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--retry-window=5x",), "--retry-window must be either a number of days"),
        (("--retry-window=1h", "--delay=3600"), "--retry-window must be longer than --delay"),
        (("--ipv4cidr=33",), "--ipv4cidr takes 1 to 32"),
        (("--socketmode=8",), "--socketmode takes an octal number"),
        (("-d", "--facility=postal"), "--syslog-facility takes one of kern, "),
        (("--user=nobodyx",), "no user 'nobodyx'"),
        (("-n",), 'don\'t know how to "no-action".'),
        (("-r", "a.example*2"), "a zone with a *weight needs -T"),
    ],
)
def test_what_means_nothing_is_refused(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(AskedWrongly) as refused:
        _settings(*words)
    assert refused.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "ERROR: --unix or --inet must be specified\n"),
        (("--bogus",), 1, "Unknown option: bogus\n"),
        (("--unix",), 1, "Option unix requires an argument\n"),
        (("-u", "/x", "--delay=abc"), 1, "ERROR: --delay must be a number from 0 up to 999999999, not 'abc'\n"),
        (("-u", "/x", "--max-size=4T"), 1, "ERROR: --max-size must be a number of bytes from 1M up, as in 500M or 4G"),
        (("-u", "/x", "-s", "redis://h/abc"), 1, "ERROR: --store is not redis://"),
        (("-u", "/dev/null/socket", *_WHO), 2, "ERROR: unable to listen at /dev/null/socket: "),
    ],
)
def test_errors_are_said_in_postgreys_manner(words: tuple[str, ...], code: int, said: str) -> None:
    """With its exit codes."""
    found, told = _run(*words)
    assert (found, told[: len(said)]) == (code, said)


def test_a_pid_file_of_a_process_that_runs_keeps_another_from_starting(tmp_path: Path) -> None:
    """And its socket is gone."""
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    socket = tmp_path / "socket"
    code, told = _run("-d", f"--unix={socket}", f"--pidfile={tmp_path}/pid", "-s", str(tmp_path / "db"), *_WHO)
    assert (code, told) == (2, f"ERROR: {tmp_path}/pid is that of a process that runs, {os.getpid()}\n")
    assert not socket.exists()
