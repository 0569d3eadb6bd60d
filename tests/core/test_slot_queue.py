"""Who gets the next free slot, as laws over any order of events."""

from hypothesis import given
from hypothesis import strategies as st

from ucspi_py.core.service.slot_queue import SlotQueue, Turn

#: A client that may relay comes; another comes; a backend ends; one ends, and we are not told of it yet.
RELAY, STRANGER, END, UNTOLD_END = "relay", "stranger", "end", "untold end"
EVENTS = st.lists(st.sampled_from([RELAY, STRANGER, END, UNTOLD_END]), max_size=60)


class House:
    """A few slots with a queue in front, as the service uses it; who was let in when, and what was free then."""

    def __init__(self, slots: int, reserve: int) -> None:
        self.queue: SlotQueue[tuple[int, bool]] = SlotQueue(reserve)
        self.slots, self.running, self.reserve = slots, 0, reserve
        self.waiting: list[tuple[int, bool]] = []
        self.served: list[tuple[int, bool]] = []

    def come(self, number: int, *, may_relay: bool) -> None:
        client = number, may_relay
        waits = self._goes_before(client) or self.slots - self.running <= (0 if may_relay else self.reserve)
        leave = self.queue.leave(may_relay=may_relay)
        if not self.queue.must_wait(may_relay=may_relay) and self.slots - self.running > leave:
            self.serve(client)
        else:
            self.queue.join(client, may_relay=may_relay)
            self.waiting.append(client)
        assert (client in self.waiting) is bool(waits), "a newcomer waits for nothing"

    def _goes_before(self, client: tuple[int, bool]) -> list[tuple[int, bool]]:
        number, may_relay = client
        return [
            other for other in self.waiting if other[1] > may_relay or (other[1] == may_relay and other[0] < number)
        ]

    def end(self) -> None:
        self.running -= bool(self.running)

    def look(self) -> None:
        while (turn := self.queue.first()) and self.slots - self.running > turn.leave:
            self.queue.serve_first()
            self.waiting.remove(turn.client)
            self.serve(turn.client)

    def serve(self, client: tuple[int, bool]) -> None:
        _, may_relay = client
        assert self.slots - self.running > (0 if may_relay else self.reserve), "a reserved slot is given away"
        assert not self._goes_before(client), "a client that waits is overtaken"
        self.running += 1
        self.served.append(client)


@given(EVENTS, st.integers(1, 4), st.integers(0, 3))
def test_nobody_is_overtaken_and_no_reserved_slot_given_away(events: list[str], slots: int, reserve: int) -> None:
    """Relay clients first; each kind in the order of its coming; the reserve is theirs; nobody waits for no reason."""
    reserve = min(reserve, slots - 1)
    house = House(slots, reserve)

    for number, event in enumerate(events):
        if event in (END, UNTOLD_END):
            house.end()
        else:
            house.come(number, may_relay=event == RELAY)
        if event != UNTOLD_END:
            house.look()
            free = slots - house.running
            assert not free or not any(may_relay for _, may_relay in house.waiting), "a relay client waits for nothing"
            assert free <= reserve or not house.waiting, "somebody waits beside a slot that is nobody's"
        assert len(house.queue) == len(house.waiting)

    for kind in (True, False):
        numbers = [number for number, may_relay in house.served if may_relay is kind]
        assert numbers == sorted(numbers)


def test_a_client_that_leaves_is_forgotten_wherever_it_stands() -> None:
    """The one behind it is first then; who never came may leave, too."""
    queue: SlotQueue[str] = SlotQueue(1)
    for name in ("first", "second"):
        queue.join(name, may_relay=False)
    queue.join("relay", may_relay=True)

    queue.quit("relay")
    queue.quit("first")
    queue.quit("nobody")

    assert queue.first() == Turn("second", 1)
    queue.serve_first()
    assert queue.first() is None
    assert not queue.is_awaited()
