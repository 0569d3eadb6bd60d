#!/usr/bin/env -S python3 -I
"""A checkpassword program with a file of its own users, for logins by SMTP and POP3.

    checkpassword.py FILE program [ arg ... ]   checks who is named on descriptor 3, and becomes the program
    checkpassword.py --line LOGIN               prints a user's line for FILE; the password is on standard input

As the gate runs it, as root, with users whom the system need not know:

    pysmtpgate -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=checkpassword \\
      -o 'smtpd_sasl_path=/usr/local/bin/checkpassword.py /etc/smtp.users /bin/true' /var/qmail/bin/qmail-smtpd

FILE has a line for each user, login:salt:hash, the last two in hexadecimal: no password can be read from it. Yet it is
to be read by this program's user alone (chmod 600), as whoever has it may guess at leisure. The program is run as the
user that we are, with USER in its environment: who reads mail by it is not changed to an owner of mail.

Exit codes: those of the program; 1 where the password is wrong or nobody has this login; 2 where there are not two
fields on descriptor 3, or no program; 111 where FILE cannot be read or the program cannot be run.
"""

import hashlib
import hmac
import os
import sys

#: cr.yp.to/checkpwd/interface.html: bytes on descriptor 3.
LIMIT = 512
#: scrypt (RFC 7914): 16 MB and some 50 ms for each guess.
COST, BLOCK, PARALLEL = 1 << 14, 8, 1
SALT = 16

WRONG, MISUSED, LATER = 1, 2, 111


def check(file: str, program: list[str]) -> int:
    """Check who is on descriptor 3, and become the program; an exit code where that is not to be."""
    fields = read_fields()
    if fields is None or not program:
        return MISUSED
    login, password = fields
    try:
        salt, hashed = find(file, login)
    except (OSError, ValueError):
        return LATER
    if not hmac.compare_digest(derive(password, salt), hashed):
        return WRONG
    try:
        os.execvpe(program[0], program, os.environb | {b"USER": login})
    except OSError:
        return LATER


def read_fields() -> tuple[bytes, bytes] | None:
    """Login and password; None for anything else, and for more than 512 bytes."""
    data = b""
    try:
        while len(data) <= LIMIT and (more := os.read(3, LIMIT + 1)):
            data += more
        os.close(3)
    except OSError:
        return None
    fields = data.split(b"\0")
    return (fields[0], fields[1]) if len(data) <= LIMIT and len(fields) > 2 else None


def find(file: str, login: bytes) -> tuple[bytes, bytes]:
    """Salt and hash of a user; of nobody, what no password has: to say no then takes as long.

    Raises OSError, and ValueError for a line of another form.
    """
    with open(file, "rb") as users:
        for user in users:
            name, salt, hashed = user.rsplit(b":", 2)
            if name == login:
                return bytes.fromhex(salt.decode()), bytes.fromhex(hashed.decode())
    return bytes(SALT), b""


def derive(password: bytes, salt: bytes) -> bytes:
    """The hash of a password."""
    return hashlib.scrypt(password, salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=1 << 26)


def line(login: bytes, password: bytes) -> bytes:
    """The line of a user with a password."""
    salt = os.urandom(SALT)
    return b"%b:%b:%b\n" % (login, salt.hex().encode(), derive(password, salt).hex().encode())


def main() -> int:
    """The program; its exit code."""
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "--line" and not set(words[1]) & set("\n\0"):
        sys.stdout.buffer.write(line(os.fsencode(words[1]), sys.stdin.buffer.readline().rstrip(b"\n")))
        return 0
    return check(words[0], words[1:]) if words else MISUSED


if __name__ == "__main__":
    sys.exit(main())
