"""What the operator asked of the recorder, frozen."""

from dataclasses import dataclass, field

#: The ports of POP3 and IMAP, plain and by TLS: a program without root cannot listen there.
PORTS = (110, 143, 993, 995)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """One recorder.

    socket: path of the one where it is asked. trusted: user ids whose word for an address
    counts; root's always does. ports: of ours to which a client has logged in. key: by which tickets are issued; None =
    none counts.
    """

    socket: str
    trusted: frozenset[int] = frozenset()
    ports: tuple[int, ...] = PORTS
    key: bytes | None = field(default=None, repr=False)

    def trusts(self, uid: int) -> bool:
        """Whether the word of a process counts. uid: its user id."""
        return uid == 0 or uid in self.trusted
