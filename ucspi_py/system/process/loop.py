"""A worker's event loop: asyncio's, but readers are called straight from the poll.

asyncio makes a key and a handle for each descriptor that is watched, and an entry in its queue for each event. A
refused client has six of them; they were a tenth of all that it cost.
"""

import asyncio
import select
import selectors
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVarTuple

#: Descriptors that one poll returns at most; the others come with the next, after timers have had their turn. The loop
#: as a whole was measured: 385 to 337 us for a listed client against asyncio's own.
_AT_ONCE = 256
_READABLE = getattr(select, "EPOLLIN", 0)

_Args = TypeVarTuple("_Args")
_Call = Callable[[], object]


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


def new_loop() -> asyncio.AbstractEventLoop:
    """Make the loop of a worker; asyncio's own where the system has no epoll(7)."""
    return _Loop() if hasattr(select, "epoll") else asyncio.new_event_loop()


def watch_edges(loop: asyncio.AbstractEventLoop, fd: int | _HasFileno, call: _Call) -> bool:
    """Have a call made once for each time that something comes to be read (epoll(7), EPOLLET).

    fd: a descriptor, or what has one. What is there already counts as having come. Ended by remove_reader(), or by
    add_reader() on the same one. False where the loop has no way to.
    """
    if not isinstance(loop, _Loop):
        return False
    loop.watch_edges(fd, call)
    return True


def add_bulk_reader(loop: asyncio.AbstractEventLoop, fd: int | _HasFileno, call: _Call) -> None:
    """Have a call made whenever much is to be read, behind all else that is ready, one such call in each turn.

    Each may take as long as a whole refused client does, and longer where it speaks TLS.

    fd: a descriptor, or what has one, that is not watched yet. Ended by remove_reader(). As add_reader() where the loop
    has no way to.
    """
    if isinstance(loop, _Loop):
        loop.add_bulk_reader(fd, call)
    else:
        loop.add_reader(fd, call)


async def end_of_turn() -> None:
    """Wait until all else is done that this turn of the loop has to do; a loop of asyncio's own has no way to."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, _Loop):
        await loop.end_of_turn()


class _Loop(asyncio.SelectorEventLoop):
    """Only add_reader is ours; what asyncio registers itself, writers, timers and all else go asyncio's way."""

    def __init__(self) -> None:
        self._poll = _Poll(self._tell)
        super().__init__(self._poll)

    def add_reader(self, fd: int | _HasFileno, callback: Callable[[*_Args], object], *args: *_Args) -> None:
        """Have a call made whenever a descriptor, or what has one, can be read from."""
        self._poll.watch(_number(fd), partial(callback, *args) if args else callback)

    def watch_edges(self, fd: int | _HasFileno, call: _Call) -> None:
        """See the function."""
        self._poll.watch(_number(fd), call, _READABLE | select.EPOLLET)

    def add_bulk_reader(self, fd: int | _HasFileno, call: _Call) -> None:
        """See the function."""
        self._poll.watch_bulk(_number(fd), call)

    def end_of_turn(self) -> asyncio.Future[None]:
        """What is done at the end of this turn."""
        last: asyncio.Future[None] = self.create_future()
        self._poll.last.append(last)
        return last

    def remove_reader(self, fd: int | _HasFileno) -> bool:
        """Watch a descriptor no more; False where it was not watched."""
        number = _number(fd)
        # sock_recv and its like register by a way of asyncio's own, and take it back by this one. By the number:
        # asyncio writes down what it does not find, and a socket asks the kernel four times to be written down.
        return self._poll.unwatch(number) or super().remove_reader(number)

    def _tell(self, error: Exception, call: _Call) -> None:
        self.call_exception_handler({"message": f"Exception in reader {call!r}", "exception": error})


class _Poll(selectors.DefaultSelector):
    """Ours and all that asyncio watches in one poll. failed: gets what a call of ours has raised, and the call.

    last: done before the next poll, which is put off until whoever waits for them has gone on.
    """

    def __init__(self, failed: Callable[[Exception, _Call], None]) -> None:
        super().__init__()
        self._failed = failed
        self.last: list[asyncio.Future[None]] = []
        self._calls: dict[int, _Call] = {}
        self._both = select.epoll()
        self._bulk = select.epoll()
        self._bulk_fds: set[int] = set()
        self._asyncios_too = self._bulk_too = False
        self.watch(self.fileno(), self._note_asyncios)
        self.watch(self._bulk.fileno(), self._note_bulk)

    def watch(self, fd: int, call: _Call, events: int = _READABLE) -> None:
        """Raises FileNotFoundError where it was closed while it was watched."""
        put = self._both.modify if fd in self._calls else self._both.register
        put(fd, events)
        self._calls[fd] = call

    def watch_bulk(self, fd: int, call: _Call) -> None:
        self._bulk.register(fd, _READABLE)
        self._bulk_fds.add(fd)
        self._calls[fd] = call

    def unwatch(self, fd: int) -> bool:
        if self._calls.pop(fd, None) is None:
            return False
        if fd in self._bulk_fds:
            self._bulk_fds.remove(fd)
            self._bulk.unregister(fd)
        else:
            self._both.unregister(fd)
        return True

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Make our calls; what is asyncio's is for asyncio to call."""
        if self.last:
            waiting, self.last = self.last, []
            for one in waiting:
                if not one.done():
                    one.set_result(None)
            return []
        self._asyncios_too = self._bulk_too = False
        self._call(self._both.poll(timeout, _AT_ONCE))
        if self._bulk_too:
            # What is ready, and is not called, stands before what was (epoll(7)).
            self._call(self._bulk.poll(0, 1))
        # Looked at after our calls, which may have closed what was ready before them.
        return super().select(0) if self._asyncios_too else []

    def close(self) -> None:
        self._both.close()
        self._bulk.close()
        super().close()

    def _call(self, ready: list[tuple[int, int]]) -> None:
        for fd, call in [(fd, self._calls.get(fd)) for fd, _ in ready]:
            # A call before this one may have closed the descriptor, and a new client may have got its number.
            if call and self._calls.get(fd) is call:
                try:
                    call()
                except Exception as error:  # as asyncio's own: one client's trouble is not another's
                    self._failed(error, call)

    def _note_asyncios(self) -> None:
        self._asyncios_too = True

    def _note_bulk(self) -> None:
        self._bulk_too = True


def _number(fd: int | _HasFileno) -> int:
    return fd if isinstance(fd, int) else fd.fileno()
