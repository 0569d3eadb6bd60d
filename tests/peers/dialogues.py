"""What is said to both servers: each verb in each state, limits, errors, junk, pipelining, content, and chance."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.support.smtp_client import Content, Step

#: Parameters that both servers get.
PROFILES: Mapping[str, Sequence[str]] = {
    "plain": ("smtpd_hard_error_limit=1000", "smtpd_junk_command_limit=1000"),
    "helo required": ("smtpd_helo_required=yes", "smtpd_hard_error_limit=1000"),
    "strict": ("strict_rfc821_envelopes=yes", "smtpd_hard_error_limit=1000"),
    "few": (
        "smtpd_soft_error_limit=3",
        "smtpd_hard_error_limit=6",
        "smtpd_junk_command_limit=4",
        "smtpd_recipient_limit=3",
        "smtpd_recipient_overshoot_limit=2",
        "message_size_limit=1000",
        "line_length_limit=600",
    ),
    "no vrfy": ("disable_vrfy_command=yes",),
    "bare newline": ("smtpd_forbid_bare_newline=reject", "smtpd_hard_error_limit=1000"),
    "normalize": ("smtpd_forbid_bare_newline=normalize", "smtpd_hard_error_limit=1000"),
    "routing": ("allow_untrusted_routing=yes", "smtpd_hard_error_limit=1000"),
    "pipelining": ("smtpd_forbid_unauth_pipelining=yes", "smtpd_hard_error_limit=1000"),
}

EHLO, MAIL, RCPT = b"EHLO client.example.net", b"MAIL FROM:<s@example.net>", b"RCPT TO:<r@example.org>"
FOREIGN = b"RCPT TO:<u@elsewhere.example>"
BODY = Content(b"Subject: x\r\n\r\nbody\r\n.\r\n")
STATES: Mapping[str, Sequence[Step]] = {
    "at first": [],
    "idle": [EHLO],
    "after HELO": [b"HELO x"],
    "after MAIL": [EHLO, MAIL],
    "after refused RCPT": [EHLO, MAIL, FOREIGN],
    "after RCPT": [EHLO, MAIL, RCPT],
    "after a message": [EHLO, MAIL, RCPT, b"DATA", BODY],
}
VERBS: Sequence[bytes] = (
    *b"""\
EHLO
EHLO a b
EHLO [192.0.2.7]
HELO
HELO x
helo x
ehlo
MAIL
MAIL FROM:
MAIL FROM:<>
MAIL FROM:<s@example.net>
MAIL FROM: <s@example.net>
MAIL  FROM:<s@example.net>
mail from:<s@example.net>
MAIL FROM <s@example.net>
MAIL FROM :<s@d.example>
MAIL FROM:s@example.net
MAIL FROM:<s@example.net
MAIL FROM:s@example.net>
MAIL FROM:<s>
MAIL FROM:<@a.example:s@example.net>
MAIL FROM:<s@[192.0.2.1]>
MAIL FROM:<"a b"@example.net>
MAIL FROM:<a b@example.net>
MAIL FROM:<s@>
MAIL FROM:<@>
MAIL FROM:<@example.net>
MAIL FROM:<s@@d.example>
MAIL FROM:<s@example.net> SIZE=10
MAIL FROM:<s@example.net> SIZE=
MAIL FROM:<s@example.net> SIZE=x
MAIL FROM:<s@example.net> SIZE=-1
MAIL FROM:<s@example.net> BODY=8BITMIME
MAIL FROM:<s@example.net> body=7bit
MAIL FROM:<s@example.net> BODY=x
MAIL FROM:<s@example.net> FOO=1
MAIL FROM:<s@example.net> FOO
MAIL FROM:<s@example.net> AUTH=<>
MAIL FROM:<s@example.net> SMTPUTF8
MAIL FROM:<s@example.net> RET=FULL
MAIL FROM:<s@example.net> SIZE=1 SIZE=2
MAIL TO:<s@example.net>
MAIL FROM:<a%b@example.net>
MAIL FROM:<\xe9@d.example>
RCPT
RCPT TO:
RCPT TO:<>
RCPT TO:<r@example.org>
RCPT TO: <r@example.org>
RCPT TO:r@example.org
rcpt to:<r@EXAMPLE.ORG>
RCPT TO:<u@elsewhere.example>
RCPT TO:<postmaster>
RCPT TO:<r>
RCPT TO:<u%elsewhere.example@example.org>
RCPT TO:<elsewhere.example!u@example.org>
RCPT TO:<@example.org:u@elsewhere.example>
RCPT TO:<@elsewhere.example:r@example.org>
RCPT TO:<"u@elsewhere.example"@example.org>
RCPT TO:<"a b"@example.org>
RCPT TO:<r@example.org> FOO=1
RCPT TO:<r@example.org> NOTIFY=NEVER
RCPT FROM:<r@example.org>
RCPT TO:<r@sub.example.org>
RCPT TO:<r@example.org.>
RCPT TO:<r@[192.0.2.1]>
RCPT TO:<r@example.org
RCPT TO <r@example.org>
RCPT TO:<\xe9@example.org>
RCPT TO:<\xc3\xa9@example.org>
MAIL FROM:<\xc3\xa9@example.net>
DATA x
RSET
RSET x
NOOP
NOOP x
VRFY r@example.org
VRFY
VRFY u@elsewhere.example
EXPN a
ETRN a
HELP
TURN
STARTTLS
STARTTLS x
AUTH PLAIN
AUTH
XCLIENT ADDR=1.2.3.4
XFORWARD ADDR=1.2.3.4
FOO
FOO BAR
NOOP\tx
QUITX
QUIT x
BDAT 4 LAST
BDAT
BDAT x
GET / HTTP/1.1
Subject: x
\xff\xfe
123
<x>
""".splitlines(),
    b"",
    b" ",
)
#: Whatever a verb has done, this says in which state the session is.
PROBE: Sequence[Step] = (b"MAIL FROM:<probe@example.net>", b"DATA", BODY, b"QUIT")
#: Sent at once, behind EHLO unless they begin with HELO; then nothing more.
BLASTS: Sequence[bytes] = (
    b"NOOP\r\nNOOP\r\n", b"EHLO x\r\nMAIL FROM:<s@example.net>\r\n", b"HELO x\r\nMAIL FROM:<s@example.net>\r\nQUIT\r\n",
    b"VRFY r@example.org\r\nNOOP\r\n", b"RSET\r\nRSET\r\nQUIT\r\n", b"FOO\r\nNOOP\r\n",
    b"MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.org>\r\nRSET\r\nQUIT\r\n",
    b"MAIL FROM:<s@example.net>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
    b"MAIL FROM:<s@example.net>\r\nRCPT TO:<u@elsewhere.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
    b"QUIT\r\nNOOP\r\n", b"DATA\r\nNOOP\r\n", b"HELP\r\nNOOP\r\n", b"ETRN x\r\nNOOP\r\n", b"EXPN x\r\nNOOP\r\n",
)  # fmt: skip
#: Content that no standard has, each with its true end.
CONTENTS: Sequence[bytes] = (
    b"", b"a\nb\r\n", b"\n\r\n", b"a\r\n.\nb\r\n", b"a\n.\r\nb\r\n", b"a\n.\nb\r\n", b"a\rb\r\n", b"a\r.\rb\r\n",
    b"\0\r\n", b"a\r\n.\rb\r\n", b"a\r\r\n.\r\r\nb\r\n", b"a\r\n\0.\r\nb\r\n", b"..\r\n", b"x" * 3000 + b"\r\n",
)  # fmt: skip


class Dialogue(NamedTuple):
    """One of them. steps: each with a reply, or, if there are none, blast: all at once. profile: whose parameters."""

    name: str
    profile: str
    steps: Sequence[Step] = ()
    blast: bytes = b""


def written() -> Iterator[Dialogue]:
    """Yield those that stand above."""
    for profile in ("plain", "strict"):
        for state, before in STATES.items():
            for verb in VERBS:
                yield Dialogue(f"{profile}, {state}: {verb!r}", profile, [*before, verb, *PROBE])
    for verb in (
        b"MAIL FROM:<s@example.net>",
        b"RCPT TO:<x@example.org>",
        b"VRFY a",
        b"NOOP",
        b"RSET",
        b"ETRN a",
        b"DATA",
    ):
        for profile in ("helo required", "no vrfy"):
            yield Dialogue(f"{profile}: {verb!r}", profile, [verb, *PROBE, *PROBE[:1]])
    for verb in VERBS:
        if b"elsewhere" in verb:
            yield Dialogue(f"routing: {verb!r}", "routing", [EHLO, MAIL, verb, *PROBE])
    for content in CONTENTS:
        for profile in ("bare newline", "normalize"):
            told = [EHLO, MAIL, RCPT, b"DATA", Content(content + b".\r\n"), b"NOOP", *PROBE]
            yield Dialogue(f"{profile}: {content[:30]!r}", profile, told)
    yield from _limits()
    for blast in BLASTS:
        steps = [] if blast.startswith(b"HELO") else [EHLO]
        yield Dialogue(f"at once: {blast[:60]!r}", "pipelining", steps, blast)


def _limits() -> Iterator[Dialogue]:
    rcpts = [b"RCPT TO:<u%d@example.org>" % number for number in range(8)]
    message: list[Step] = [MAIL, RCPT, b"DATA", BODY]
    limits: dict[str, list[Step]] = {
        "errors": [b"FOO"] * 8,
        "errors, a message": [b"FOO"] * 4 + message + [b"FOO"] * 8,
        "refused recipients are errors": [MAIL, *[FOREIGN] * 8],
        "nested MAILs are errors": [MAIL] * 9,
        "DATA without recipients": [MAIL, *[b"DATA"] * 8],
        "junk": [b"NOOP"] * 14,
        "junk of all kinds": [b"NOOP", b"RSET", b"VRFY x@example.org", b"EHLO x", b"HELO x", b"ETRN x"] * 3,
        "junk, a message": [b"NOOP"] * 4 + message + [b"NOOP"] * 4 + [MAIL, RCPT] + [b"NOOP"] * 8,
        "MAIL and RSET in turns": [MAIL, b"RSET"] * 10,
        "recipients": [MAIL, *rcpts, b"DATA", BODY, b"NOOP"],
        "recipients beyond everything": [MAIL, *rcpts, *rcpts, b"NOOP"],
        "long line": [b"NOOP ".ljust(590, b"x"), b"NOOP ".ljust(700, b"x"), b"NOOP"],
        "size": [MAIL + b" SIZE=1000", b"RSET", MAIL + b" SIZE=1001", MAIL + b" SIZE=99999999999999999999", b"NOOP"],
        "size grows": [*message[:3], Content(b"x\r\n" * 1000 + b".\r\n"), b"NOOP", *message],
        "not SMTP": [b"GET / HTTP/1.1", b"NOOP"],
        "BDAT": [MAIL, RCPT, b"BDAT 4 LAST", b"NOOP"],
    }
    for name, steps in limits.items():
        yield Dialogue(f"few: {name}", "few", [EHLO, *steps])


def by_chance(seed: int) -> Dialogue:
    """A dialogue of verbs that are mostly in order."""
    chance = random.Random(seed)
    profile = chance.choice(["plain", "plain", "few", "helo required", "strict"])
    usual: list[Step] = [EHLO, MAIL, RCPT, b"DATA", RCPT, FOREIGN, b"RSET", b"NOOP"]
    loud = (b"BDAT", b"GET", b"Subject", b"\xff", b"123", b"<")  # they end the session
    quiet = [verb for verb in VERBS if not verb.startswith(loud)]
    steps: list[Step] = [EHLO] if chance.random() < 0.9 else []
    for _ in range(chance.randrange(1, 20)):
        step = chance.choice(usual) if chance.random() < 0.7 else chance.choice(quiet)
        steps += [step, BODY] if step == b"DATA" else [step]
    return Dialogue(f"seed {seed}", profile, [*steps, *PROBE])
