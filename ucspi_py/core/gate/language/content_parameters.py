"""The parameters of header and body checks (postconf(5), header_checks(5)).

The value of a list of tables is its text: whoever asks them parses its words.
"""

from . import values
from .parameter import Parameter

#: Each a list of tables; without any of them no message is looked into.
CHECKS = {
    "header_checks": ("", "tables about the headers of a message"),
    "mime_header_checks": ("$header_checks", "tables about headers of MIME, and of the parts of a message"),
    "nested_header_checks": ("$header_checks", "tables about headers of messages in a message"),
    "body_checks": ("", "tables about all other lines of a message"),
}

PARAMETERS = (
    *(Parameter(name, "", values.text, default, explanation) for name, (default, explanation) in CHECKS.items()),
    Parameter("header_size_limit", "", values.number(1), "102400", "bytes of a header, what is beyond is dropped"),
    Parameter("body_checks_size_limit", "", values.number(0), "51200", "bytes of each part that are checked, 0 = all"),
    Parameter("mime_nesting_limit", "", values.number(1), "100", "parts within parts that a checked message may have"),
    Parameter("mime_boundary_length_limit", "", values.number(1), "2048", "bytes of a boundary that are compared"),
    Parameter(
        "disable_mime_input_processing", "", values.yes_no, "no", "all behind the headers of a message is its body"
    ),
)
