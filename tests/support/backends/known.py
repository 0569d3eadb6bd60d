"""The backends as tests know them: how they are started, and what has reached them."""

import marshal
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ..programs import theirs
from ..waiting import until

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[3]


class Message(NamedTuple):
    """A message that was taken. text: without the lines that the backend has put above it, LF behind each line."""

    sender: bytes
    recipients: tuple[bytes, ...]
    text: bytes


class Backend(Protocol):
    """A program behind the gate. argv: its command. environment: what it needs."""

    argv: Sequence[str]
    environment: Mapping[str, str]


class Keeper(Backend, Protocol):
    """A backend that keeps what it takes."""

    def messages(self) -> list[Message]:
        """What was taken so far."""


def program(name: str, *words: Path | str) -> Sequence[str]:
    """The command of a program of this folder: as a module, whose bytecode is kept, and without what a site adds."""
    start = f"import sys; sys.path.insert(0, {str(HERE)!r}); import {name}; sys.exit({name}.main())"
    return (sys.executable, "-IS", "-c", start, *map(str, words))


class Visit:
    """One run of the scripted backend."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def input(self) -> bytes:
        """Every byte that it has read so far."""
        return (self._folder / "input").read_bytes()

    @property
    def lines(self) -> list[bytes]:
        """Its commands, and content as it came; without line ends."""
        return self.input.split(b"\r\n")[:-1]

    @property
    def environment(self) -> dict[bytes, bytes]:
        """Its environment."""
        pairs = (self._folder / "environment").read_bytes().split(b"\0")[:-1]
        return {name: value for name, _, value in (pair.partition(b"=") for pair in pairs)}

    @property
    def descriptors(self) -> dict[int, str]:
        """What was open when it began, by number."""
        lines = (line.partition(" ") for line in (self._folder / "descriptors").read_text().splitlines())
        return {int(number): target for number, _, target in lines}

    @property
    def end(self) -> str:
        """Why it has ended; waits for that."""
        file = self._folder / "end"
        until(file.exists, f"the end of a backend that got {self.input[-300:]!r}")
        return file.read_text()

    def wait_input(self, wanted: bytes) -> bytes:
        """Everything that it has read, once this is in it."""
        until(lambda: wanted in self.input, f"{wanted!r} at the backend, which has {self.input[-300:]!r}")
        return self.input


class Scripted:
    """The scripted backend in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "script"
        self.folder = folder / "runs"
        self.folder.mkdir(parents=True)
        self.argv: Sequence[str] = program("scripted", self._script, self.folder)
        self.environment: Mapping[str, str] = {}
        self.does()

    def does(self, points: Mapping[str, Sequence[Sequence[str]]] | None = None, *, content_bytes: int = 1) -> None:
        """What runs from now on do that is not the default; content_bytes: how many of content are its point."""
        temporary = self._script.with_suffix(".new")
        temporary.write_bytes(marshal.dumps({**(points or {}), "content_bytes": content_bytes}))
        temporary.rename(self._script)

    def go_on(self, name: str) -> None:
        """Let runs go on that wait for a file of this name."""
        (self.folder / name).touch()

    def visits(self) -> list[Visit]:
        """Its runs so far, those that have come to read."""
        return [Visit(file.parent) for file in sorted(self.folder.glob("[0-9]*/input"))]

    def since(self, count: int) -> list[Visit]:
        """Its runs behind the first so many."""
        return self.visits()[count:]

    def last(self) -> Visit:
        """The last run."""
        return self.visits()[-1]


class _Queued:
    """A backend that feeds $QMAILQUEUE."""

    own_lines = 0

    def __init__(self, folder: Path, argv: Sequence[str]) -> None:
        self._kept = folder / "kept"
        self._kept.mkdir(parents=True)
        queue = folder / "qmail-queue"
        command = program("qmail_queue", self._kept)
        queue.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
        queue.chmod(0o755)
        self.argv = argv
        self.environment: Mapping[str, str] = {"QMAILQUEUE": str(queue), "QMAILHOME": str(folder)}

    def messages(self) -> list[Message]:
        """What was queued so far."""
        return [self._message(file.read_bytes()) for file in sorted(self._kept.iterdir())]

    def _message(self, kept: bytes) -> Message:
        size, _, rest = kept.partition(b"\n")
        sender, *recipients = rest[: int(size)].split(b"\0")[:-2]
        text = rest[int(size) :]
        for _ in range(self.own_lines):
            text = text.partition(b"\n")[2]
        return Message(sender[1:], tuple(recipient[1:] for recipient in recipients), text)


class NotQmail(_Queued):
    """The model of qmail-smtpd."""

    own_lines = 2  # Received, which is folded

    def __init__(self, folder: Path, control: Path) -> None:
        super().__init__(folder, program("notqmail", control))


class RealQmail(_Queued):
    """The qmail-smtpd that $QMAIL_SMTPD names."""

    own_lines = 2

    def __init__(self, folder: Path, _control: Path) -> None:
        super().__init__(folder, (os.environ["QMAIL_SMTPD"],))


class Mailfront(_Queued):
    """Debian's mailfront, which ends a message at LF, dot, LF."""

    def __init__(self, folder: Path, _control: Path) -> None:
        plugins = ("accept-sender", "relayclient", "accept-recipient")
        super().__init__(folder, (theirs("mailfront"), "smtp", "qmail", *plugins))


class Demo:
    """The demonstration backend."""

    def __init__(self, folder: Path, control: Path) -> None:
        folder.mkdir(parents=True)
        self._maildir = folder / "Maildir"
        program = ROOT / "examples/demo_smtpd.py"
        self.argv: Sequence[str] = (sys.executable, str(program), str(control), str(self._maildir))
        self.environment: Mapping[str, str] = {}

    def messages(self) -> list[Message]:
        """What is in the Maildir."""
        new = self._maildir / "new"
        files = sorted(new.iterdir(), key=lambda file: file.stat().st_mtime_ns) if new.exists() else []
        return [self._message(file.read_bytes()) for file in files]

    def _message(self, kept: bytes) -> Message:
        head, trace, text = re.split(rb"(\n  by [^\n]*\n)", kept, maxsplit=1)
        assert trace
        (sender,) = re.findall(rb"^Return-Path: <(.*)>", head)
        return Message(sender, tuple(re.findall(rb"(?m)^X-Envelope-To: <(.*)>$", head)), text)
