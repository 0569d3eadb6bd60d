"""pysumm: its report for people, for programs and for a browser."""

import gzip
import json
import os
import pty
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support import sample_log
from tests.support.programs import ours, theirs
from tests.support.terminal import everything

LOG = b"".join(b"2026-11-26 05:00:00.123456789  " + line for line in sample_log.every_kind())
#: What a hostile log may hold: texts of clients, in a log of others' programs too, that our own lines never have.
HOSTILE = (
    b"2026-11-26 05:00:01 rblsmtpd: 192.0.2.66 pid 7: 451 " + sample_log.HOSTILE + b"\n"
    b"2026-11-26 05:00:01 dnsbl: zones for 192.0.2.66 pid 7: <b>=<i>/12ms: 451 x\n"
    b"2026-11-26 05:00:01 tcpserver: warning: " + sample_log.HOSTILE + b"\n"
    b"2026-11-26 05:00:01 smtpgate: client=a[<svg/onload=1>], sasl_method=PLAIN, sasl_username="
    + sample_log.HOSTILE
    + b"\n"
)
#: What a page is made of.
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "span"),
    *("table", "tr", "th", "td", "svg", "rect", "line", "text"),
}


def summ(*words: str | Path, log: bytes = LOG) -> subprocess.CompletedProcess[bytes]:
    """Run it on a log."""
    return subprocess.run([ours("pysumm"), *words], input=log, capture_output=True, check=False)


def told(*words: str | Path, log: bytes = LOG) -> str:
    """What it tells of a log, if it is content with it."""
    done = summ(*words, log=log)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode()


class _Elements(HTMLParser):
    """The elements of a page with their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_people_are_told_everything() -> None:
    """With bars behind numbers; the first line says of what."""
    text = told()

    lines = text.splitlines()
    assert lines[0].startswith("2026-11-26 05:00 to 2026-11-26 05:00; 25 of 25 lines tell something, and 12 lost")
    titles = [line for line in lines[1:] if line and not line.startswith(" ")]
    assert titles[:5] == ["in all", "by hour", "refusals by reason", "refusals by restriction", "zones"]
    assert {"zones together", "greylist by triplet", "greylist by network", "grants", "warnings"} <= set(titles)
    assert re.search(r"^  reject_unlisted_recipient +1  #{40}$", text, re.MULTILINE)
    assert re.search(r"^  joe +1 +1 +2 +1 +0  #{40}$", text, re.MULTILINE)


def test_programs_are_told_the_same() -> None:
    report = json.loads(told("--json"))

    assert report["total"]["messages"] == 2
    assert report["hours"][0] == {"hour": "2026-11-26T05:00:00", **report["total"]}
    assert {"name": "blocked using zen.example", "number": 1} in report["reasons"]
    assert report["zones"][0]["zone"] == "bl"
    assert report["triplets"]["delays"][1] == {"seconds": 600, "number": 1}
    assert report["relays"]["by_login"] == 1


def test_logs_are_files_of_any_number(tmp_path: Path) -> None:
    """Compressed or not; - is standard input."""
    (tmp_path / "one").write_bytes(LOG)
    (tmp_path / "two.gz").write_bytes(gzip.compress(LOG))

    report = json.loads(told("--json", tmp_path / "one", tmp_path / "two.gz", "-"))

    assert report["total"]["messages"] == 6


def test_a_list_has_as_many_rows_as_are_asked_for() -> None:
    assert len(json.loads(told("--json"))["reasons"]) == 8
    assert len(json.loads(told("--json", "-n", "3"))["reasons"]) == 3


def test_a_log_of_others_is_an_error(tmp_path: Path) -> None:
    """As is one that cannot be read, or that has nothing in it."""
    done = summ(log=b"httpd: 192.0.2.1 GET /\n")

    assert (done.returncode, done.stdout) == (100, b"")
    assert done.stderr == b"summ: fatal: no line of these programs that tells something in 1 lines\n"
    assert summ(log=b"").returncode == 100
    missing = summ(tmp_path / "none")
    assert (missing.returncode, missing.stderr.decode()) == (
        111,
        f"summ: fatal: unable to read {tmp_path / 'none'}: file does not exist\n",
    )


def test_nothing_of_a_client_steers_a_terminal() -> None:
    """No control character, and none that turns the direction of a text."""
    text = told(log=LOG + HOSTILE)

    assert "<script>" in text
    assert [char for char in text if not (char.isprintable() or char == "\n")] == []
    assert r"\x1b" in text


def test_a_long_log_has_a_bar_on_a_terminal_alone(tmp_path: Path) -> None:
    """Which is gone behind it."""
    log = tmp_path / "log"
    log.write_bytes(LOG * 2000)
    master, slave = pty.openpty()
    try:
        command = [ours("pysumm"), "--json", str(log)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=slave, check=True)
    finally:
        os.close(slave)
    seen = everything(master)

    assert re.search(rb"\[#{10,30} *\] +\d+ %  40,000 lines", seen), seen
    assert seen.endswith(b"\r\x1b[K")


def test_a_page_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    """Its policy forbids what it does not have."""
    told("--html", tmp_path / "page.html", log=LOG + HOSTILE)
    page = _Elements((tmp_path / "page.html").read_text())

    policy = next(one["content"] for tag, one in page.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    used = {tag for tag, _ in page.elements}
    assert used <= ELEMENTS
    attributes = {name for _, one in page.elements for name in one}
    assert not [name for name in attributes if name.startswith("on") or name in ("style", "href", "src", "xlink:href")]
    assert any("<script>alert(1)</script>" in text for text in page.texts)


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """A web server may read it."""
    page = tmp_path / "page.html"
    page.write_text("old")

    assert summ("--html", page, log=b"").returncode == 100
    assert page.read_text() == "old"
    told("--html", page)
    assert page.stat().st_mode & 0o777 == 0o644
    assert os.listdir(tmp_path) == ["page.html"]
    failed = summ("--html", tmp_path / "none" / "page.html")
    assert (failed.returncode, failed.stderr.decode()) == (
        111,
        f"summ: fatal: unable to write {tmp_path / 'none' / 'page.html'}: file does not exist\n",
    )


def _browse(page: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [theirs("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={page.parent / 'browser'}", "--enable-logging=stderr", "--window-size=1100,1400"]
    environment = {**os.environ, "HOME": str(page.parent), "XDG_RUNTIME_DIR": str(page.parent)}
    return subprocess.run(
        [*command, *options, page.as_uri()], capture_output=True, check=True, timeout=120, env=environment
    )


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a log with hostile texts."""
    page = tmp_path_factory.mktemp("page") / "page.html"
    told("--html", page, log=LOG + HOSTILE)
    return page


def test_a_browser_shows_the_page(hostile_page: Path) -> None:
    """With its style sheet, which the policy knows, and without a complaint; what it draws is no blank page."""
    shot = hostile_page.parent / "page.png"

    done = _browse(hostile_page, f"--screenshot={shot}")

    assert b"CONSOLE" not in done.stderr, done.stderr
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 30_000


def test_a_browser_takes_nothing_of_a_client_for_an_element(hostile_page: Path) -> None:
    """Seen in the tree that it makes of the page."""
    tree = _browse(hostile_page, "--dump-dom").stdout.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in tree
    assert not re.search(r"<(script|b|i|img|iframe|a)\b", tree)
