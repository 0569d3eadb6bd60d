"""What was agreed on with a milter, in words. Never agrees on anything."""

from ....milter.negotiation import Agreed
from ....milter.words import Actions, Event, Protocol
from ..settings import DefaultAction

#: Of what the gate tells: the end of a message is told to each milter.
_EVENTS = {
    Event.CONNECT: "the client",
    Event.HELO: "HELO",
    Event.MAIL: "MAIL",
    Event.RCPT: "RCPT",
    Event.DATA: "DATA",
    Event.HEADER: "headers",
    Event.BODY: "the body",
}
_REFUSED = "refused recipients"
_CHANGES = {
    Actions.ADDHDRS: "add headers",
    Actions.CHGHDRS: "change headers",
    Actions.CHGBODY: "replace the body",
    Actions.CHGFROM: "change the sender",
    Actions.ADDRCPT | Actions.ADDRCPT_PAR: "add recipients",
    Actions.DELRCPT: "delete recipients",
}
_FAILING = {
    DefaultAction.ACCEPT: "mail passes without it",
    DefaultAction.REJECT: "all mail is refused",
    DefaultAction.TEMPFAIL: "all mail is refused for now",
    DefaultAction.SHUTDOWN: "all clients are hung up on",
}


def hears(agreed: Agreed) -> str:
    """Tell what a milter hears of a client and its message."""
    heard = [word for event, word in _EVENTS.items() if event in agreed.spoken.heard]
    if agreed.protocol & Protocol.RCPT_REJ:
        heard.append(_REFUSED)
    return f"hears {_listed(heard)}" if heard else "hears nothing but the end of a message"


def may(agreed: Agreed) -> str:
    """Tell what a milter may change in a message."""
    changes = [word for action, word in _CHANGES.items() if action & agreed.actions]
    said = f"may {_listed(changes)}" if changes else "may change nothing"
    return f"{said}; may quarantine, which refuses the message here" if agreed.actions & Actions.QUARANTINE else said


def failing(action: DefaultAction) -> str:
    """Tell what becomes of mail where a milter fails."""
    return f"{_FAILING[action]} ({action.value})"


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
