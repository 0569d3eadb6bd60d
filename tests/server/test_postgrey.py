"""pypostgrey at work: what is asked on its socket is answered as postgrey answers it."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.programs import ours
from tests.support.pypostgrey import NEW, RCPT, Asking, Postgrey, connected, packed, request
from tests.support.waiting import PATIENCE, until

DUNNO = b"DUNNO"
_HEADER = b"PREPEND X-Greylist: delayed "


@pytest.fixture(scope="module")
def server() -> Iterator[Postgrey]:
    """One with a delay that never ends, for many tests: each has recipients of its own."""
    with Postgrey("--delay=3600", "--processes=2") as found:
        yield found


@pytest.fixture(scope="module")
def quick() -> Iterator[Postgrey]:
    """One that lets in after a second."""
    with Postgrey("--delay=1", "--processes=1") as found:
        yield found


def _let_in(asking: Asking, **changed: str) -> bytes:
    """The first answer that lets in."""
    return until(lambda: None if (found := asking.ask(**changed)).startswith(b"DEFER") else found, "an end of the wait")


def test_a_new_triplet_is_deferred_in_postgreys_words(server: Postgrey) -> None:
    """With the code that Exchange can stand, since Postfix tells of etrn_domain."""
    assert server.ask() == NEW
    line = b"client_name=mail.example.net, client_address=192.0.2.7, sender=a@example.net, recipient=b@example.org\n"
    server.wait_log(b"action=greylist, reason=new, " + line)


def test_an_early_retry_is_told_in_the_log(server: Postgrey) -> None:
    """With what is missing."""
    server.ask(recipient="early@example.org", queue_id="4F2")
    until(
        lambda: b"early-retry" in server.log() or not server.ask(recipient="early@example.org", queue_id="4F2"),
        "a second",
    )
    assert re.search(rb"^4F2: action=greylist, reason=early-retry \(35\d\ds missing\), ", server.log(), re.MULTILINE)


def test_a_triplet_that_has_waited_is_let_in_with_one_header_for_each_message(quick: Postgrey) -> None:
    """Of two recipients of a message the first has it; the next message of that triplet has none."""
    with quick.asking() as asking:
        asking.ask()
        asking.ask(recipient="c@example.org")
        assert _let_in(asking, instance="7").startswith(_HEADER)
        assert _let_in(asking, instance="7", recipient="c@example.org") == DUNNO
        assert asking.ask(instance="8") == DUNNO
    assert b"action=pass, reason=triplet found, delay=" in quick.log()


def test_two_requests_in_one_write_are_answered_in_order(server: Postgrey) -> None:
    """A line that is no attribute is passed over."""
    with server.asking() as asking:
        first = asking.send(request(recipient="x@first.example") + b"garbage\n" + request(protocol_state="DATA"))
        assert first.endswith(b"/first.example.html")
        assert asking.heard() == DUNNO
    server.wait_log(b"ignoring garbage: <garbage>\n")


@pytest.mark.parametrize("state", ["CONNECT", "EHLO", "MAIL", "DATA", "END-OF-MESSAGE"])
def test_only_recipients_are_judged(server: Postgrey, state: str) -> None:
    """Of a policy server that stands in another list nothing is learned."""
    assert server.ask(protocol_state=state, recipient=f"{state}@example.org") == DUNNO


def test_exim_tells_of_no_state_and_no_instance(server: Postgrey) -> None:
    """And has no code of its own."""
    attributes = {name: RCPT[name] for name in ("request", "client_address", "client_name", "sender", "recipient")}
    with server.asking() as asking:
        answer = asking.send(packed({**attributes, "recipient": "exim@example.org"}))
    assert answer == NEW.replace(b"4.2.0 ", b"")


def test_another_request_is_answered_and_told(server: Postgrey) -> None:
    """postgrey stays mute, and Postfix waits for 100 seconds."""
    assert server.ask(request="junk_policy") == DUNNO
    server.wait_log(b"unrecognized request type: 'junk_policy'\n")


@pytest.mark.parametrize("name", ["client_address", "client_name", "recipient", "sender"])
def test_without_an_attribute_that_it_needs_it_lets_in(server: Postgrey, name: str) -> None:
    """As postgrey does."""
    with server.asking() as asking:
        assert asking.send(packed({key: value for key, value in RCPT.items() if key != name})) == DUNNO
    server.wait_log(f"warning: attribute missing: {name}\n".encode())


def test_an_address_that_is_none_lets_in(server: Postgrey) -> None:
    """Under it postgrey dies."""
    assert server.ask(client_address="192.0.2.300") == DUNNO
    server.wait_log(b"warning: can't parse client_address from postfix: 192.0.2.300\n")


def test_nobody_sets_our_clock(server: Postgrey) -> None:
    """postgrey's own tests do, by an attribute."""
    server.ask(recipient="clock@example.org")
    assert server.ask(recipient="clock@example.org", policy_test_time="9999999999").startswith(b"DEFER_IF_PERMIT")


def test_an_empty_sender_and_attributes_in_xtext_are_fine(server: Postgrey) -> None:
    """ccert_subject has what it likes."""
    assert server.ask(sender="", recipient="empty@example.org", ccert_subject="CN+3Da=b").startswith(b"DEFER_IF_PERMIT")


@pytest.mark.parametrize("flood", [b"x" * 4096, b"a=b\n" * 101], ids=["a line", "lines"])
def test_what_has_no_end_is_hung_up_on(server: Postgrey, flood: bytes) -> None:
    """And others are answered."""
    with server.asking() as asking, server.asking() as other:
        assert asking.send(flood) == b""
        assert other.ask(recipient="other@example.org").startswith(b"DEFER_IF_PERMIT")
    server.wait_log(b"warning: connection closed: a ")


def test_control_characters_begin_no_line_in_the_log(server: Postgrey) -> None:
    """Whatever a client says of itself."""
    server.ask(recipient="\raction=pass@example.org\x1b")
    server.wait_log(b"recipient=?action=pass@example.org?\n")


def test_it_answers_through_all_its_processes_and_lives_on_without_one(server: Postgrey) -> None:
    """The same records are behind each."""
    workers = server.workers()
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: len({*server.workers()} - {workers[0]}) == 2, "another process")
    answers = {server.ask(recipient="many@example.org") for _ in range(20)}
    assert answers == {NEW}
    assert f"warning: process {workers[0]} ended with status 9, starting another\n".encode() in server.log()


def test_idle_connections_keep_nobody_out() -> None:
    """However many a local user has: the oldest one makes room."""
    crowded = ("sh", "-c", 'ulimit -n 230; exec "$0" "$@"', ours("pypostgrey"))
    with Postgrey("--processes=1", program=crowded) as server, ExitStack() as held:
        idle = [held.enter_context(server.asking()) for _ in range(60)]
        assert server.ask() == NEW
        assert idle[0].heard() == b""
        assert idle[-1].ask(recipient="c@example.org").startswith(b"DEFER_IF_PERMIT")


def test_hup_reads_the_whitelists(server: Postgrey) -> None:
    """In each process."""
    assert server.ask(recipient="spared@example.org") == NEW
    (server.folder / "recipients").write_text("spared@\n")
    server.hup()
    until(lambda: server.ask(recipient="spared@example.org") == DUNNO, "the whitelist")
    assert b"HUP received: reloading whitelists...\n" in server.log()
    assert b"action=pass, reason=recipient whitelist, " in server.log()


def test_who_waits_for_an_answer_has_it_before_the_end() -> None:
    """And who has asked nothing is hung up on."""
    with Postgrey() as server, server.asking() as asked, server.asking() as idle:
        assert idle.ask() == NEW
        asked.socket.sendall(request()[:40])
        server.process.terminate()
        assert idle.heard() == b""
        assert asked.send(request()[40:]) == NEW
        assert asked.heard() == b""


def test_exim_is_hung_up_on_after_one_answer() -> None:
    """With --exim."""
    with Postgrey("--exim") as server, server.asking() as asking:
        assert asking.ask() == NEW
        assert asking.heard() == b""


def test_it_listens_on_a_port_too() -> None:
    """Of localhost, unless another host is named."""
    port = free_port()
    with Postgrey(f"--inet={port}"), closing(Asking(socket.create_connection(("127.0.0.1", port)))) as asking:
        assert asking.ask() == NEW


def test_a_store_that_cannot_be_used_lets_everybody_in() -> None:
    """And says so."""
    with Postgrey(store="/dev/null/db") as server:
        assert server.ask() == DUNNO
        server.wait_log(b"warning: unable to use /dev/null/db: ", b"everybody is let in\n")


def test_quiet_logs_no_actions() -> None:
    """But what is wrong."""
    with Postgrey("-q") as server:
        server.ask()
        server.ask(request="junk_policy")
        assert server.wait_log(b"junk_policy").count(b"\n") == 1


def test_in_the_background_it_is_ready_when_its_starter_goes_on(tmp_path: Path) -> None:
    """With its number in a file; at its end nothing is left."""
    path, pid_file = tmp_path / "socket", tmp_path / "pid"
    ids = ("--user", str(os.getuid()), "--group", str(os.getgid()))
    words = (f"--unix={path}", f"--pidfile={pid_file}", "-s", str(tmp_path / "db"), *ids)
    subprocess.run([ours("pypostgrey"), "-d", *words], check=True, timeout=PATIENCE)
    pid = int(pid_file.read_text())
    try:
        assert os.getsid(pid) == pid
        with closing(Asking(connected(str(path)))) as asking:
            assert asking.ask() == NEW
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not path.exists() and not pid_file.exists(), "its end")
