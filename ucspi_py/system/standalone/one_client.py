"""A screen asked in a process that has one client, on descriptor 0. Loads asyncio."""

import asyncio
import os
import socket

from ...core.smtp.verdict import Verdict
from ..process.descriptors import is_socket
from ..screens.screen import Screen


def judge(screen: Screen, environment: dict[bytes, bytes]) -> Verdict:
    """Tell what becomes of the client that the environment describes; nothing of it is left running."""
    loop = asyncio.new_event_loop()  # asyncio.run would wait for a look-up of a store's name that hangs in a thread
    try:
        return loop.run_until_complete(_judge(screen, environment))
    finally:
        loop.run_until_complete(_cancel_others())
        loop.close()


async def _judge(screen: Screen, environment: dict[bytes, bytes]) -> Verdict:
    try:
        if not is_socket(0):
            return await screen.judge(environment, None)
        with socket.socket(fileno=os.dup(0)) as client:
            return await screen.judge(environment, client)
    finally:
        await screen.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
