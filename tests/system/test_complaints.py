"""What is wrong is said once a minute, not for each client, and is not remembered without a bound."""

from ucspi_py.system.report.complaints import Complaints


class Heard:
    """A clock, and what was said."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.said: list[str] = []
        self.complain = Complaints(self.said.append, lambda: self.now)


def test_each_sentence_once_a_minute() -> None:
    """Another one is said in between."""
    heard = Heard()
    for second in (0.0, 1.0, 59.9, 60.0, 61.0):
        heard.now = 1000.0 + second
        heard.complain("a")
        heard.complain("b" if second < 60 else "a")

    assert heard.said == ["a", "b", "a"]


def test_sentences_that_never_end() -> None:
    """A thousand different ones are all said, and those before are forgotten."""
    heard = Heard()
    for number in range(1000):
        heard.complain(f"{number}")
    heard.complain("0")

    assert len(heard.said) == 1001
    assert len(heard.complain._silent_until) <= 100
