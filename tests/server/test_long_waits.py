"""What ends a wait at the gate: cases 48 and 49. They have all begun before the first test of this folder."""

from collections.abc import Sequence

from tests.support.gate import MAIL, RCPT
from tests.support.long_waits import BODY, EHLO, Leaving, Queue
from tests.support.server import children
from tests.support.smtp_client import Client, shorts
from tests.support.waiting import until


def test_clients_of_a_crowded_service_are_left_after_ten_seconds(long_wait_of_a_crowd: Sequence[Client]) -> None:
    """All places were taken: 421 4.4.2, long before smtpd_timeout, until few enough are there."""
    idle = long_wait_of_a_crowd
    until(lambda: [client for client in idle if shorts(client.rest_so_far()) == ["421 4.4.2"]], "somebody to leave")


def test_case_49_a_message_on_its_way_is_finished_at_hup(long_wait_at_hup: Leaving) -> None:
    """In the old worker; a client that was idle hears 421 4.3.2 after a moment, and a new worker serves."""
    gate = long_wait_at_hup.gate
    _is_finished(long_wait_at_hup)
    until(lambda: not long_wait_at_hup.workers & set(children(gate.process.pid)), "the old worker to leave")
    assert shorts(gate.converse([EHLO, MAIL, RCPT, b"QUIT"]))[2] == "250"


def test_case_49_a_message_on_its_way_is_finished_at_term(long_wait_at_term: Leaving) -> None:
    """In the old worker; a client that was idle hears 421 4.3.2 after a moment, and the service ends."""
    _is_finished(long_wait_at_term)
    until(lambda: long_wait_at_term.gate.process.poll() is not None, "the end of the service")


def _is_finished(leaving: Leaving) -> None:
    client, idle = leaving.sending, leaving.idle
    assert shorts(idle.rest()) == ["421 4.3.2"]
    assert 8 < idle.told_at() - leaving.since < 25
    client.say(BODY[20:])
    assert shorts(client.replies(1)) == ["250"]
    client.converse([b"QUIT"])
    assert [message.text for message in leaving.backend.messages()] == [b"Subject: x\n\nbody\n"]


def test_case_48_who_waits_too_long_is_told_to_come_again(long_wait_for_a_slot: Queue) -> None:
    """451 4.3.2 after half a minute, and the client is kept: it gets the slot once that is free."""
    first, second, since = long_wait_for_a_slot
    second.socket.settimeout(60)
    assert shorts([second.reply()]) == ["451 4.3.2"]
    assert 25 < second.told_at() - since < 60
    first.converse([b"QUIT"])
    assert shorts(second.converse([RCPT])) == ["250"]
