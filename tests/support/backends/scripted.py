"""A backend that does what its script says, and records what it was given: scripted.py SCRIPT FOLDER.

SCRIPT is a dict that marshal has written: for each point of a session what is done there, in the order of its
occurrences (the last one stands for all later ones), each a list of actions. Points: start (the banner is due), EHLO,
HELO, MAIL, RCPT, DATA, content (so many bytes of it have come as ``content_bytes`` says, at least one), ``.`` (its end
was read), RSET, NOOP, QUIT. What is not in the script is done as DEFAULT says. Actions:

    250 ok          a reply line; CRLF is put behind it
    !raw TEXT       these bytes, as Latin-1
    !exit CODE      the end, with what was not read unread
    !hang           say nothing more, read to the end
    !until NAME     read nothing before a file of this name is in FOLDER

Each run makes a folder of its own, FOLDER/0001 and so on: environment (NUL behind each variable), descriptors (a line
``number target`` each), input (every byte that was read), end (why it ended: eof, quit, or exit CODE).

It is started for every message of a test, so that it imports nothing that takes its time.
"""

import marshal
import os
import sys
import time

DEFAULT = {
    "start": [["220 scripted ESMTP"]],
    "EHLO": [["250-scripted", "250-PIPELINING", "250 8BITMIME"]],
    "HELO": [["250 scripted"]],
    "MAIL": [["250 sender ok"]],
    "RCPT": [["250 recipient ok"]],
    "DATA": [["354 go on"]],
    "content": [[]],
    ".": [["250 ok queued"]],
    "RSET": [["250 flushed"]],
    "NOOP": [["250 ok"]],
    "QUIT": [["221 bye", "!exit 0"]],
}
_END = b"\r\n.\r\n"


class Scripted:
    """One run."""

    def __init__(self, script: str, folder: str) -> None:
        with open(script, "rb") as file:
            told = marshal.load(file)  # noqa: S302  # the test's own
        self._content_bytes = told.pop("content_bytes", 1)
        self._points: dict[str, list[list[str]]] = DEFAULT | told
        self._folder = folder
        self._run = self._begin()
        self._record = os.open(f"{self._run}/input", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._rest = b""
        self._quits = False

    def _begin(self) -> str:
        """A folder for this run, whose input comes last: who sees it sees all the rest."""
        descriptors = _descriptors()
        while True:
            count = sum(name[:1].isdigit() for name in os.listdir(self._folder))
            run = f"{self._folder}/{count + 1:04d}"
            try:
                os.mkdir(run)
                break
            except FileExistsError:
                continue
        _write(f"{run}/environment", b"".join(b"%b=%b\0" % pair for pair in os.environb.items()))
        _write(f"{run}/descriptors", descriptors.encode())
        return run

    def serve(self) -> None:
        """Until it ends."""
        self._do("start")
        while True:
            line = self._read_until(b"\n")
            verb = line.split()[0].upper().decode("latin-1") if line.split() else ""
            self._quits = verb == "QUIT"
            if verb not in self._points:
                self._say(b"500 what?\r\n")
                continue
            if self._do(verb) == b"354" and verb == "DATA":
                self._take_content()

    def _take_content(self) -> None:
        while len(self._rest) < self._content_bytes and not (b"\r\n" + self._rest).endswith(_END):
            self._read()
        self._do("content")
        self._rest = b"\r\n" + self._rest
        self._read_until(_END)
        self._do(".")

    def _do(self, point: str) -> bytes:
        """Carry out what is due at a point; the code of the last reply."""
        turns = self._points[point]
        actions = turns.pop(0) if len(turns) > 1 else turns[0]
        code = b""
        for action in actions:
            word, _, rest = action.partition(" ")
            if word == "!exit":
                self._end("quit" if self._quits else action[1:], int(rest))
            elif word == "!hang":
                while True:
                    self._read()
            elif word == "!until":
                while not os.path.exists(f"{self._folder}/{rest}"):
                    time.sleep(0.005)
            else:
                data = rest.encode("latin-1") if word == "!raw" else action.encode("latin-1") + b"\r\n"
                code = data[:3]
                self._say(data)
        return code

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._read()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _read(self) -> None:
        try:
            data = os.read(0, 65536)
        except OSError:
            data = b""
        if not data:
            self._end("eof", 1)
        os.write(self._record, data)
        self._rest += data

    def _say(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError:
            self._end("eof", 1)

    def _end(self, why: str, code: int) -> None:
        _write(f"{self._run}/end.new", why.encode())
        os.rename(f"{self._run}/end.new", f"{self._run}/end")
        os._exit(code)


def _write(file: str, data: bytes) -> None:
    with open(file, "wb") as opened:
        opened.write(data)


def _descriptors() -> str:
    """What is open, a line each; the listing's own descriptor is gone when it is looked at."""
    lines = []
    for name in sorted(os.listdir("/proc/self/fd"), key=int):
        try:
            lines.append(f"{name} {os.readlink(f'/proc/self/fd/{name}')}\n")
        except FileNotFoundError:
            continue
    return "".join(lines)


def main() -> None:
    """The program; it ends by itself."""
    Scripted(sys.argv[1], sys.argv[2]).serve()


if __name__ == "__main__":
    main()
