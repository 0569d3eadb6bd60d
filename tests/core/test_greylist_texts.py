"""postgrey's templates, filled in."""

from ucspi_py.core.greylist.triplet import texts
from ucspi_py.core.greylist.triplet.settings import HEADER, TEXT


def test_a_refusal_tells_the_seconds_that_are_left() -> None:
    """Of the default text."""
    assert texts.refusal(TEXT, 300, b"a@example.org") == b"Greylisted, try again in 300 seconds"


def test_a_refusal_tells_the_domain_of_the_recipient() -> None:
    """That behind the last @; postgrey takes a recipient without one for a domain."""
    assert texts.refusal(b"see http://h/%r.html", 1, b"a@b@example.org") == b"see http://h/example.org.html"
    assert texts.refusal(b"%r", 1, b"postmaster") == b"postmaster"


def test_a_header_tells_of_the_wait() -> None:
    """Of the default one."""
    date = b"Thu, 26 Nov 2026 19:34:03 +0000"
    assert texts.header(HEADER, 310, b"1.0", b"mx.example.org", date) == (
        b"X-Greylist: delayed 310 seconds by postgrey-1.0 at mx.example.org; Thu, 26 Nov 2026 19:34:03 +0000"
    )


def test_what_is_filled_in_is_no_template() -> None:
    """A recipient that holds a place is told as it is."""
    assert texts.refusal(b"%r, %s", 7, b"a@%s") == b"%s, 7"


def test_a_percent_sign_that_is_no_place_stays() -> None:
    """As in postgrey."""
    assert texts.refusal(b"100% of %x%", 7, b"") == b"100% of %x%"


def test_no_recipient_begins_a_line_of_its_own() -> None:
    """Whatever it holds."""
    assert texts.refusal(b"%r", 1, b"a@b\r\nX: y") == b"b??X: y"
