"""What the log says of keys and of handshakes. Never writes it."""

#: Days from which on the log counts them.
_FEW = 14


def stays(sentence: str) -> str:
    """Say that new keys are no good. sentence: why."""
    return f"{sentence}; the certificates in use stay"


def ends(certificate: str, days: int) -> str | None:
    """Say how long a certificate is valid still; None while that is long. days: whole ones, below 0 = it is over."""
    if days > _FEW:
        return None
    if days < 0:
        return f"{certificate} is no longer valid"
    return f"{certificate} is valid for {days} day{'' if days == 1 else 's'} only"
