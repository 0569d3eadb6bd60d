"""Programs behind both servers that keep what they take: behind Postfix by way of a gate without parameters."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.support.backends.known import NotQmail
from tests.support.gate import Gate, controls, gated

OURS = ("smtpd_error_sleep_time=0", "smtpd_hard_error_limit=1000", "smtpd_forbid_bare_newline=normalize")
#: Lines of main.cf of a Postfix that passes all on to such a gate, as it came.
MAIN = """\
mydestination = ours.example
transport_maps = static:smtp:[127.0.0.1]:{port}
local_header_rewrite_clients =
message_drop_headers =
disable_mime_output_conversion = yes
smtp_line_length_limit = 0
smtp_tls_security_level = none
smtp_destination_concurrency_limit = 1
"""
#: A line of its master.cf.
SMTP = "smtp unix - - n - - smtp\n"


def kept_by(stack: ExitStack, folder: Path, asked: Sequence[str], **files: str) -> tuple[NotQmail, Gate]:
    """A gate, and what keeps its messages. asked: parameters. files: of its control folder."""
    control = controls(folder / "control", rcpthosts="ours.example", **files)
    backend = NotQmail(folder / "backend", control)
    gate = gated(
        backend.argv,
        folder,
        parameters=(*OURS, *asked),
        control=control,
        rules=":allow\n",
        variables=backend.environment,
    )
    return backend, stack.enter_context(gate)
