"""Lines -> content framed for the backend: whoever wrote them, they end in CRLF and their dots are doubled."""

#: Of a text of ours: the end of a line is ours to write, and a zero byte ends a text in C.
_NO_ENDS = b"\r\n\0"


class Output:
    """What is passed on. begins: whether what comes next begins a line."""

    def __init__(self) -> None:
        self.begins = True
        self._pieces: list[bytes] = []

    def put(self, text: bytes, *, is_whole: bool = True) -> None:
        """Put a line, or a piece of one, of the client."""
        if self.begins and text.startswith(b"."):
            self._pieces.append(b".")
        self._pieces.append(text)
        if is_whole:
            self._pieces.append(b"\r\n")
            self.begins = True
        elif text:
            self.begins = False

    def put_framed(self, data: bytes) -> None:
        """Put content of the client that is framed. What was put last must end where it begins."""
        if data:
            self._pieces.append(data)
            self.begins = data.endswith(b"\n")

    def put_text(self, text: bytes, *, is_whole: bool = True) -> None:
        """Put a line of the body, or a piece of one, that a table has."""
        self.put(text.translate(None, _NO_ENDS), is_whole=is_whole)

    def put_header(self, text: bytes) -> None:
        """Put a header that a table has; each of its lines but the first begins with a blank."""
        first, *others = text.split(b"\n")
        self.put_text(first)
        for line in others:
            self.put_text(line if line.startswith((b" ", b"\t")) else b"\t" + line)

    def end_line(self) -> None:
        """End a line that is open."""
        if not self.begins:
            self.put(b"")

    def take(self) -> bytes:
        """Take what was put since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
