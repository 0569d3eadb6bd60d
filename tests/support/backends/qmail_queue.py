"""A qmail-queue that keeps what it gets in a folder: qmail_queue.py FOLDER, message on descriptor 0, envelope on 1.

A message is kept only if its envelope was whole (qmail-queue.c); else the exit code is 54, for an end too early, or 91,
for what is no envelope. Each message is one file, written before it gets its name: envelope, then message.
"""

import os
import sys


def read_all(descriptor: int) -> bytes:
    """Everything, until its writer closes it."""
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        return stream.read()


def check(envelope: bytes) -> int:
    """Exit code for an envelope: F sender NUL, T recipient NUL for each, NUL."""
    sender, *recipients = envelope.split(b"\0")
    if len(recipients) < 2 or recipients[-2:] != [b"", b""]:
        return 54
    whole = sender.startswith(b"F") and all(recipient.startswith(b"T") for recipient in recipients[:-2])
    return 0 if whole else 91


def main() -> int:
    """The program; its exit code."""
    folder = sys.argv[1]
    message, envelope = read_all(0), read_all(1)
    code = check(envelope)
    if code == 0:
        temporary = f"{folder}-{os.getpid()}"
        with open(temporary, "wb") as file:
            file.write(b"%d\n%b%b" % (len(envelope), envelope, message))
        os.rename(temporary, f"{folder}/{len(os.listdir(folder)):04d}-{os.getpid()}")
    return code


if __name__ == "__main__":
    sys.exit(main())
