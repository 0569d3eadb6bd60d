"""Who may send to anybody, and does: by a login, by a grant, by an address. Never tells whether he should."""

from typing import NamedTuple

from .events import Granted, GrantUsed, LoggedIn, LoginFailed, Message
from .recent import Recent
from .top import Top

#: Users that are told apart for certain.
_USERS = 2_000
#: Clients of which is remembered that they have had a grant.
_REMEMBERED = 20_000


class UserRow(NamedTuple):
    """A user. logins: sessions in which he has logged in. failed: logins that were refused.

    messages, recipients: that were taken. size: in bytes.
    """

    user: bytes
    logins: int
    failed: int
    messages: int
    recipients: int
    size: int


class GrantRow(NamedTuple):
    """Grants of a user. given: logins elsewhere. used: sessions by one. how: as in ``pop3``."""

    user: bytes
    how: bytes
    given: int
    used: int


class Relays(NamedTuple):
    """All who may send to anybody. by_login, by_grant, by_address: messages that were taken for that."""

    by_login: int
    by_grant: int
    by_address: int
    users: list[UserRow]
    grants: list[GrantRow]


class RelayTotals:
    """Adds up who relays. Of users whom clients only claim to be no more are remembered than of others."""

    def __init__(self) -> None:
        self._logins, self._failed = Top(_USERS), Top(_USERS)
        self._messages, self._recipients, self._size = Top(_USERS), Top(_USERS), Top(_USERS)
        self._given, self._used = Top(_USERS), Top(_USERS)
        self._by_login = self._by_grant = self._by_address = 0
        self._granted = Recent[bytes, bytes](_REMEMBERED)

    def logged_in(self, event: LoggedIn) -> None:
        """Count a login."""
        self._logins.add(event.user)

    def login_failed(self, event: LoginFailed) -> None:
        """Count a login that was refused."""
        self._failed.add(event.user)

    def granted(self, event: Granted) -> None:
        """Count a login elsewhere."""
        self._given.add(_grant(event))

    def used(self, event: GrantUsed) -> None:
        """Count a session by a grant."""
        self._used.add(_grant(event))
        self._granted.put(event.ip, event.user)

    def message(self, event: Message) -> None:
        """Count a message that was taken."""
        if event.user:
            self._by_login += 1
            self._messages.add(event.user)
            self._recipients.add(event.user, event.recipients)
            self._size.add(event.user, event.size)
        elif event.relayed and event.ip in self._granted:
            self._by_grant += 1
        elif event.relayed:
            self._by_address += 1

    def told(self, number: int) -> Relays:
        """Sum them up. number: users at most."""
        users = dict.fromkeys(
            name for top in (self._messages, self._logins, self._failed) for name, _ in top.most(number)
        )
        rows = [self._user(name) for name in users]
        grants = dict.fromkeys(name for top in (self._used, self._given) for name, _ in top.most(number))
        shares = self._by_login, self._by_grant, self._by_address
        return Relays(*shares, rows[:number], [self._grants(name) for name in grants][:number])

    def _user(self, name: bytes) -> UserRow:
        tops = (self._logins, self._failed, self._messages, self._recipients, self._size)
        return UserRow(name, *(top.get(name) for top in tops))

    def _grants(self, name: bytes) -> GrantRow:
        user, _, how = name.rpartition(b" ")
        return GrantRow(user, how, self._given.get(name), self._used.get(name))


def _grant(event: Granted | GrantUsed) -> bytes:
    return b"%b %b" % (event.user, event.how)
