"""Who is on a worker's post, and when the next one is forked: pure, so every case is a few lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.service.post import (
    LONGEST_BACK_OFF,
    SHORTEST_BACK_OFF,
    Post,
    ended,
    forked,
    next_fork,
    not_forked,
    stood,
    to_be_relieved,
    workers,
)


def serving(pid: int, born: float = 0.0) -> Post:
    """A post whose worker stands."""
    return stood(forked(Post(), pid, born), pid)[0]


def test_an_empty_post_is_filled_at_once_and_once() -> None:
    """Nobody else is forked for it, whether the worker stands yet or not."""
    assert next_fork(Post()) == 0.0
    assert next_fork(forked(Post(), 5, 1.0)) is None
    assert next_fork(serving(5)) is None
    assert workers(serving(5)) == {5}


def test_whoever_is_relieved_leaves_once_the_successor_stands() -> None:
    """Not when it is asked for, nor when the successor is forked."""
    post = to_be_relieved(serving(5))
    assert next_fork(post) == 0.0
    post = forked(post, 6, 9.0)
    assert workers(post) == {5, 6}
    assert next_fork(post) is None

    post, leaver = stood(post, 6)

    assert leaver == 5
    assert workers(post) == {6}
    assert next_fork(post) is None


def test_without_room_for_a_successor_nobody_leaves() -> None:
    """It is tried again, later and later."""
    post = not_forked(to_be_relieved(serving(5)), 10.0)
    assert workers(post) == {5}
    assert next_fork(post) == 10.0 + SHORTEST_BACK_OFF
    assert next_fork(not_forked(post, 20.0)) == 20.0 + 2 * SHORTEST_BACK_OFF


def test_a_successor_that_dies_before_it_stands_relieves_nobody() -> None:
    """Another one is forked for it."""
    post = ended(forked(to_be_relieved(serving(5)), 6, 10.0), 6, 10.5)
    assert workers(post) == {5}
    assert next_fork(post) == 10.5 + SHORTEST_BACK_OFF


def test_a_worker_that_dies_while_its_successor_comes() -> None:
    """The successor is all that is needed."""
    post = ended(forked(to_be_relieved(serving(5)), 6, 10.0), 5, 10.5)
    assert workers(post) == {6}
    assert next_fork(post) is None
    assert stood(post, 6)[1] is None


def test_asked_again_while_a_successor_comes() -> None:
    """That one was forked before: it is relieved in its turn."""
    post = to_be_relieved(forked(to_be_relieved(serving(5)), 6, 10.0))
    assert next_fork(post) is None
    post, leaver = stood(post, 6)
    assert leaver == 5
    assert next_fork(post) == 0.0
    assert stood(forked(post, 7, 11.0), 7)[1] == 6


def test_those_who_die_young_are_followed_later_and_later() -> None:
    """Up to some seconds; after one that lived the next comes at once."""
    post, now, waits = Post(), 100.0, []
    for pid in range(10):
        post = ended(forked(post, pid, now), pid, now + 0.9)
        due = next_fork(post)
        assert due is not None
        waits.append(round(due - now - 0.9, 3))
        now = due
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]

    post = ended(forked(post, 99, now), 99, now + 1.0)
    assert next_fork(post) == now + 1.0
    assert next_fork(ended(forked(post, 98, now), 98, now)) == now + SHORTEST_BACK_OFF


def test_asking_ends_the_wait() -> None:
    """Whoever sends SIGHUP may have mended what the workers died of."""
    post = Post()
    for pid in range(9):
        post = ended(forked(post, pid, 100.0), pid, 100.0)
    assert next_fork(to_be_relieved(post)) == 0.0


@pytest.mark.parametrize("post", [Post(), serving(5), forked(serving(5), 6, 0.0)])
def test_a_stranger_stands_on_no_post(post: Post) -> None:
    """Nor does one that stands already stand again."""
    assert stood(post, 5) == (post, None)
    assert stood(post, 7) == (post, None)


_STEPS = st.lists(st.sampled_from(("hup", "fork", "no room", "stands", "dies coming")))


@given(_STEPS)
def test_somebody_serves_whatever_happens(steps: list[str]) -> None:
    """But for its own death, a worker leaves only for a successor that stands; and nobody waits too long."""
    post, next_pid, now = serving(1), 2, 0.0
    for step in steps:
        now += 0.1
        due = next_fork(post)
        before = post
        if step == "hup":
            post = to_be_relieved(post)
        elif step == "fork" and due is not None:
            post, next_pid = forked(post, next_pid, now), next_pid + 1
        elif step == "no room" and due is not None:
            post = not_forked(post, now)
        elif step == "stands" and post.coming:
            post, leaver = stood(post, post.coming.pid)
            assert before.serving
            assert leaver == before.serving.pid
        elif step == "dies coming" and post.coming:
            post = ended(post, post.coming.pid, now)
        assert post.serving
        due = next_fork(post)
        assert due is None or due <= now + LONGEST_BACK_OFF
