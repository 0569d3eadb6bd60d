"""How many recipients one user may write to: a stolen password is worth little. Never counts."""

from ...smtp.reply import reply
from ..event_limits import Excess
from ..visitor import Visitor
from . import loglines

#: Seconds for which they are counted.
PERIOD = 3600


def too_many(limit: int, client: Visitor, count: int) -> Excess | None:
    """Judge a recipient of a user; None = it is within the limit.

    limit: recipients in an hour. count: of the user, from whatever client, this one included.
    """
    if count <= limit:
        return None
    said = reply(450, b"4.7.1 Error: too many recipients from " + client.login)
    return Excess(said, loglines.too_many_recipients(client, count))
