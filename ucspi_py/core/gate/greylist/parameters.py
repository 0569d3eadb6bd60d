"""The parameters of check_greylist, which Postfix does not have; postgrey has them as options."""

from ...store.size import size
from ..language import values
from ..language.parameter import Parameter
from ..maps.action import is_header

DELAY, WINDOW, TEXT = "greylist_delay", "greylist_retry_window", "greylist_text"
HEADER = "greylist_header"
#: Lists of files.
CLIENTS, RECIPIENTS = "greylist_whitelist_clients", "greylist_whitelist_recipients"


def _header(text: str) -> bytes:
    """Parse a line of a message's header; empty = none."""
    line = values.printable(text)
    if line and not is_header(line):
        raise ValueError(f"must be a header, as in X-Greylist: delayed %t seconds, not {text!a}")
    return line


PARAMETERS = (
    Parameter(DELAY, "", values.seconds(1), "300s", "time from the first attempt until a triplet is let in"),
    Parameter(WINDOW, "", values.seconds(1), "2d", "time within which the first retry has to come"),
    Parameter("greylist_max_age", "", values.seconds(1), "35d", "time for which what was let in is known"),
    Parameter(
        "greylist_auto_whitelist_clients",
        "",
        values.number(0),
        "5",
        "triplets of a network after which it waits no more, 0 = it may have to",
    ),
    Parameter("greylist_ipv4cidr", "", values.number(1, 32), "24", "prefix of the networks whose clients are one"),
    Parameter("greylist_ipv6cidr", "", values.number(1, 128), "64", "the same for IPv6"),
    Parameter("greylist_by_name", "", values.yes_no, "yes", "clients whose names are of one domain are one, too"),
    Parameter(
        TEXT, "", values.printable, "Greylisted, try again in %s seconds", "%s = seconds, %r = domain of the recipient"
    ),
    Parameter(
        HEADER,
        "",
        _header,
        "X-Greylist: delayed %t seconds by pysmtpgate-%v at %h; %d",
        "of messages that had to wait; empty = none",
    ),
    Parameter("greylist_max_size", "", size, "1G", "what the store may have on the disk, where it is a file"),
    Parameter(CLIENTS, "", values.text, "", "files of clients that never wait, as postgrey has them"),
    Parameter(RECIPIENTS, "", values.text, "", "files of recipients that nobody waits for"),
)
