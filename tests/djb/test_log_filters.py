"""What the readers of a mail server's log take for a refusal, with fail2ban as it is installed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import theirs
from ucspi_py.core.dnsbl import loglines
from ucspi_py.core.smtp.loglines import refused, totals

REFUSED, LET_IN = b"192.0.2.7", b"192.0.2.8"

#: Every line about zones and clients that is no refusal.
OTHERS = [
    loglines.would_refuse(LET_IN, 77, b"451 listed"),
    loglines.would_refuse(LET_IN, 77, b"553 http://bl/?192.0.2.8"),
    loglines.zone_results(LET_IN, 77, [(b"bl", b"clean", 0.001), (b"al", b"127.0.0.2", 0.002)], b"accepted"),
    loglines.zone_results(LET_IN, 77, [(b"bl", b"127.0.0.2", 0.001)], b"451 listed"),
    loglines.said(LET_IN, 77, {b"helo": b"mail", b"mail": b"FROM:<a@b>", b"rcpt": b"TO:<c@d>"}),
    loglines.said(LET_IN, 77, {}),
    loglines.zone_totals(b"bl", {"asked": 5210, "listed": 4102, "errors": 451}),
    totals(b"dnsbl", 1104, 4106, 553, 37),
    loglines.zone_warning(b"bl", "it lists 127.0.0.1, as no list may: it would list everybody, so it is not believed"),
    loglines.zone_warning(b"192.0.2.8", "it is believed again"),
]
REFUSAL = refused(b"rblsmtpd", REFUSED, 77, b"451 listed")
#: What a patched rblsmtpd says, and fail2ban's own filter looks for.
PATCHED = b"rblsmtpd: 192.0.2.7 pid 77 bl.example.org: 451 http://bl.example.org/\n"


@pytest.mark.parametrize(
    ("expression", "refusal"),
    [
        ("/etc/fail2ban/filter.d/qmail.conf", PATCHED),
        (r"rblsmtpd: <HOST>", REFUSAL),
        (r"rblsmtpd: <HOST> pid \d+: [45]\d\d", REFUSAL),
        (r"rblsmtpd: <HOST> pid \d+: .*[45]\d\d ", REFUSAL),
    ],
    ids=repr,
)
def test_fail2ban_bans_who_is_refused_and_nobody_else(expression: str, refusal: bytes, tmp_path: Path) -> None:
    """By its own filter, and by those that people write."""
    log = tmp_path / "log"
    stamp = b"Nov 26 05:00:00 mail qmail: 1157520813.485077 "
    log.write_bytes(b"".join(stamp + line for line in [refusal, *OTHERS]))

    done = subprocess.run(
        [theirs("fail2ban-regex"), "--print-all-matched", log, expression], capture_output=True, check=True
    )

    assert b" %d lines, 0 ignored, 1 matched, %d missed" % (1 + len(OTHERS), len(OTHERS)) in done.stdout


@pytest.mark.parametrize("counts", [rb" rblsmtpd:", rb"rblsmtpd", rb" ok ", rb" deny ", rb"status:"], ids=repr)
def test_who_counts_refusals_counts_no_other_line(counts: bytes) -> None:
    """qmailmrtg7.c looks for `` rblsmtpd:``, `` ok ``, `` deny `` and ``status:``, Mail::Toaster::Logs for rblsmtpd."""
    assert not [line for line in OTHERS if re.search(counts, b"@4000000045 " + line)]
    assert re.search(rb" rblsmtpd:", b"@4000000045 " + REFUSAL)
