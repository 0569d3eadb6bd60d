"""How a filter fails: values of one exception, each with its sentence for the log."""


class MilterFailed(Exception):
    """A filter is of no use for this client any more.

    sentence: why, ``milter NAME:`` stands before it. misconfigured: what it says can be read, and makes no sense, for
    which Postfix has words of its own (milter8.c, milter8_conf_error). is_late: it has let its time pass.
    """

    def __init__(self, sentence: str, *, misconfigured: bool = False, is_late: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.misconfigured = misconfigured
        self.is_late = is_late
