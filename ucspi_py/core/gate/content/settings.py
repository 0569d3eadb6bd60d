"""What is looked into in a message, frozen, under the names of Postfix's parameters (postconf(5))."""

from dataclasses import dataclass

from ..maps.names import MapName

#: Tables in their order; the first that has a value decides.
Maps = tuple[MapName, ...]


@dataclass(frozen=True, slots=True)
class ContentSettings:
    """The parameters of content checks.

    header_checks: of the message's own headers. mime_header_checks: of headers about MIME, and of those of its parts.
    nested_header_checks: of those of messages in it. body_checks: of all other lines. header_size_limit: bytes of a
    header, the rest of it is dropped. body_checks_size_limit: bytes of each part's body that are looked at, 0 = all.
    mime_nesting_limit: parts within parts. mime_boundary_length_limit: bytes of a boundary that are compared.
    disable_mime_input_processing: all behind the first headers is body. line_length_limit: bytes of a line that are
    looked at as one.
    """

    header_checks: Maps = ()
    mime_header_checks: Maps = ()
    nested_header_checks: Maps = ()
    body_checks: Maps = ()
    header_size_limit: int = 102400
    body_checks_size_limit: int = 51200
    mime_nesting_limit: int = 100
    mime_boundary_length_limit: int = 2048
    disable_mime_input_processing: bool = False
    line_length_limit: int = 2048

    @property
    def checks_headers(self) -> bool:
        """Whether headers of any kind are looked at."""
        return bool(self.header_checks or self.mime_header_checks or self.nested_header_checks)

    @property
    def tables(self) -> Maps:
        """All tables, each once."""
        of_headers = self.header_checks + self.mime_header_checks + self.nested_header_checks
        return tuple(dict.fromkeys(of_headers + self.body_checks))
