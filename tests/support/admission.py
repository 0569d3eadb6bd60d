"""One worker's admission in the test's process: real sockets, scoreboard and loop; the sessions are the test's."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, cast

from tests.support.waiting import PATIENCE
from ucspi_py.core.client.connection import Endpoints
from ucspi_py.core.client.limits import ClientLimits
from ucspi_py.core.service.loglines import internal_error
from ucspi_py.core.service.settings import Program, ServerSettings
from ucspi_py.system.accept.listener import Listener, listen
from ucspi_py.system.accept.scoreboard import Place, Scoreboard
from ucspi_py.system.process.loop import new_loop
from ucspi_py.system.report.connection_log import ConnectionLog
from ucspi_py.system.report.log import VERBOSE, Log
from ucspi_py.system.report.tasks import Tasks
from ucspi_py.system.service.admission import Admission

SETTINGS = ServerSettings(
    host="127.0.0.1",
    port="0",
    program=Program((), ("true",)),
    verbosity=VERBOSE,
    delay=False,
    kill_ip_options=False,
    banner=b"",
    remote_info=False,
    remote_host=False,
    paranoid=False,
    lookup_seconds=1,
    rules=None,
    allow_no_rules=False,
    limit=1,
    held_limit=10,
    reserve=0,
    client_limits=ClientLimits(),
    overload_message=None,
    backlog=100,
    local_name=b"here",
    uid=None,
    gid=None,
    print_port=False,
    workers=1,
)


class Lines(Log):
    """A log in memory."""

    def __init__(self) -> None:
        super().__init__(VERBOSE, len)
        self.lines: list[bytes] = []

    def say(self, *lines: bytes) -> None:
        """Keep the lines."""
        self.lines += lines


class House:
    """A worker's admission whose sessions are the test's; the with block is its life.

    serve: a session's coroutine function, given the house, the client's number in the order of serving, and its socket.
    board: that of another house, whose worker then is another one of the same service.
    """

    def __init__(
        self,
        serve: Callable[["House", int, socket.SocketType, Place | None], Any],
        board: Scoreboard | None = None,
        **changes: Any,
    ) -> None:
        self.settings = replace(SETTINGS, **changes)
        self._own_board = board is None
        self.board = board or Scoreboard(self.settings.limit, self.settings.held_limit)
        self.listener: Listener = listen("127.0.0.1", 0, self.settings.backlog or 1)
        self.port = self.listener.getsockname()[1]
        self.loop = new_loop()
        self.log = Lines()
        self.tasks = Tasks(self.loop, lambda what: self.log.warn(internal_error(what)), self._ended)
        connection_log = ConnectionLog(self.log, self.board, self.settings.limit)
        self.admission = Admission(self.settings, (self.listener,), self.board, connection_log, self.tasks)
        self.served: list[int] = []
        self._serve = serve
        self._clients: list[socket.socket] = []

    def __enter__(self) -> "House":
        self.admission.open(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.call_later(0.002, self.loop.stop)
        self.loop.run_forever()
        self.listener.close()
        self.loop.close()
        os.close(cast(Any, self.admission)._acceptor._stopped.__self__._stat)
        if self._own_board:
            os.close(self.board._shared._fd)
            os.close(self.board.vacancies._fd or -1)

    def connect(self) -> socket.socket:
        """A new client."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self._clients.append(client)
        return client

    def until(self, condition: Callable[[], object]) -> None:
        """Let the loop run until a condition holds."""
        end = time.monotonic() + PATIENCE

        async def look() -> None:
            while not condition():
                assert time.monotonic() < end, "waited in vain"
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(look())

    def until_with(self, other: "House", condition: Callable[[], object]) -> None:
        """Let both loops run until a condition holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            for house in (self, other):
                house.loop.call_later(0.001, house.loop.stop)
                house.loop.run_forever()

    def settle(self) -> None:
        """Let the loop run until nothing more happens at once."""
        self.loop.run_until_complete(asyncio.sleep(0.02))

    def run_to_the_end(self) -> None:
        """Let the loop run until the admission stops it, which it must within a second."""
        late = self.loop.call_later(1, self._fail)
        self._late = False
        self.loop.run_forever()
        late.cancel()
        assert not self._late, "it did not end"

    def _fail(self) -> None:
        self._late = True
        self.loop.stop()

    def _ended(self) -> None:
        self.admission.changed()

    def _begin(self, client: socket.SocketType, _endpoints: Endpoints, place: Place | None) -> Any:
        number = len(self.served)
        self.served.append(client.getpeername()[1])
        return self._serve(self, number, client, place)
