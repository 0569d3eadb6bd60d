"""The post of one worker: who is on it, who follows, and when. Pure: time is seconds of any one clock.

A worker serves once it stands, which it says itself. Until then whoever it is to follow stays.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

#: Seconds: a worker that lived shorter was broken from the start, and its successor waits longer and longer.
HEALTHY_LIFE = 1.0
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 0.1, 5.0


class Worker(NamedTuple):
    """A worker's process id, and when it was forked."""

    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class Post:
    """One worker's place.

    serving: who stands. coming: who has been forked and does not stand yet. relief: whether whoever serves is to be
    followed by another. due: when the next may be forked. back_off: seconds that the last failure had the next wait.
    """

    serving: Worker | None = None
    coming: Worker | None = None
    relief: bool = False
    due: float = 0.0
    back_off: float = 0.0


def next_fork(post: Post) -> float | None:
    """When the next worker is to be forked; None where none is wanted."""
    wanted = post.coming is None and (post.serving is None or post.relief)
    return post.due if wanted else None


def forked(post: Post, pid: int, now: float) -> Post:
    """A worker has been forked."""
    return replace(post, coming=Worker(pid, now), relief=False)


def not_forked(post: Post, now: float) -> Post:
    """There is no room for another process now."""
    return _backed_off(post, now)


def stood(post: Post, pid: int) -> tuple[Post, int | None]:
    """The worker that was coming serves now; the process id of the one that may leave, None where there is none."""
    if post.coming is None or post.coming.pid != pid:
        return post, None
    return replace(post, serving=post.coming, coming=None), post.serving and post.serving.pid


def ended(post: Post, pid: int, now: float) -> Post:
    """One of this post's workers has ended: another follows, later and later if they die young."""
    for worker in (post.serving, post.coming):
        if worker and worker.pid == pid:
            young = now - worker.born < HEALTHY_LIFE
            post = _backed_off(post, now) if young else replace(post, due=now, back_off=0.0)
    if post.serving and post.serving.pid == pid:
        return replace(post, serving=None)
    # Whom it was to relieve serves on, and is still to be relieved.
    return replace(post, coming=None, relief=bool(post.serving))


def to_be_relieved(post: Post) -> Post:
    """The post whose worker is to be followed by a new one, at once: whoever asks for it may have mended something."""
    return replace(post, relief=True, due=0.0)


def workers(post: Post) -> set[int]:
    """The process ids of this post's workers."""
    return {worker.pid for worker in (post.serving, post.coming) if worker}


def _backed_off(post: Post, now: float) -> Post:
    back_off = min(max(SHORTEST_BACK_OFF, 2 * post.back_off), LONGEST_BACK_OFF)
    return replace(post, due=now + back_off, back_off=back_off)
