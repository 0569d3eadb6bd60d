"""Header and body checks as main.cf sets them, and which values of their tables the gate does not start with."""

import pytest

from tests.core.test_gate_main_cf import complaint, read
from ucspi_py.core.gate.content.actions import flaw
from ucspi_py.core.gate.content.configured import content_settings
from ucspi_py.core.gate.content.settings import ContentSettings
from ucspi_py.core.gate.maps.names import MapName

_HELD = "%s needs a queue, and the gate has none"
HEADERS, BODY = MapName("regexp", "/etc/h"), MapName("pcre", "/etc/b")


def test_without_checks_nothing_is_looked_into() -> None:
    """Also where their limits are set, or they are set to nothing."""
    assert not read("header_size_limit = 1000\n").has_checks
    asked = read("header_checks =\nbody_checks =\n")
    assert asked.has_checks
    assert content_settings(asked) is None


def test_other_headers_have_the_tables_of_the_first_ones() -> None:
    """mime_header_checks and nested_header_checks, unless they are set."""
    settings = content_settings(read("header_checks = regexp:/etc/h\n"))
    assert settings == ContentSettings((HEADERS,), (HEADERS,), (HEADERS,))
    settings = content_settings(read("header_checks = regexp:/etc/h\nmime_header_checks =\n"))
    assert settings == ContentSettings((HEADERS,), (), (HEADERS,))


def test_tables_are_asked_in_their_order() -> None:
    """With limits of each kind."""
    text = "body_checks = pcre:/etc/b, regexp:/etc/h\nbody_checks_size_limit = 0\nheader_size_limit = 1\n"
    text += "mime_nesting_limit = 2\nmime_boundary_length_limit = 3\ndisable_mime_input_processing = yes\n"
    assert content_settings(read(text + "line_length_limit = 1000\n")) == ContentSettings(
        (), (), (), (BODY, HEADERS), 1, 0, 2, 3, True, 1000
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("header_size_limit = 0", "main.cf line 2: header_size_limit must be a number from 1"),
        ("disable_mime_input_processing = maybe", "must be yes or no"),
    ],
)
def test_what_is_wrong_with_a_limit(line: str, said: str) -> None:
    """With its place."""
    assert said in complaint(f"\n{line}\n")


@pytest.mark.parametrize(
    ("value", "of_header", "of_body"),
    [
        (b"REJECT", None, None),
        (b"ok x", None, None),
        (b"prepend X-A: b", None, None),
        (b"REPLACE ${1}", "REPLACE must be followed by a header, name: text", None),
        (b"REPLACE ${1}: b", None, None),
        (b"PREPEND", "PREPEND must be followed by a text", "PREPEND must be followed by a text"),
        (b"FILTER x:y", _HELD % "FILTER", _HELD % "FILTER"),
        (b"hold", _HELD % "HOLD", _HELD % "HOLD"),
        (b"REDIRECT a@b", _HELD % "REDIRECT", _HELD % "REDIRECT"),
        (b"BCC a@b", _HELD % "BCC", _HELD % "BCC"),
        (
            b"550 no",
            "'550 no' is no action of a header or body check",
            "'550 no' is no action of a header or body check",
        ),
    ],
)
def test_the_gate_does_not_start_with_a_value_that_it_cannot_do(
    value: bytes, of_header: str | None, of_body: str | None
) -> None:
    """What needs a queue, what is no action, and what lacks its text."""
    assert flaw(value, of_header=True) == of_header
    assert flaw(value, of_header=False) == of_body
