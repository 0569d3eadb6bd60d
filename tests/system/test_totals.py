"""What the screens have decided, counted by two workers together."""

import asyncio

from tests.support.waiting import PATIENCE
from ucspi_py.core.smtp.verdict import Accept, Refuse, Verdict
from ucspi_py.system.report.totals import SharedTotals, Totals, WorkerTotals

VERDICTS: list[tuple[bytes, Verdict]] = [
    (b"dnsbl", Refuse(451, b"no")),
    (b"dnsbl", Refuse(553, b"no")),
    (b"dnsbl", Accept(vouched=True)),
    (b"dnsbl", Accept()),
    (b"greylist", Refuse(451, b"wait")),
]


def test_two_workers_are_added_each_kind_for_itself() -> None:
    """And no verdict twice."""
    shared = SharedTotals([b"dnsbl", b"greylist"])

    async def main() -> None:
        for worker in (WorkerTotals(shared), WorkerTotals(shared)):
            for kind, verdict in VERDICTS:
                worker.note(kind, verdict)
            worker.share()
            worker.share()

    asyncio.run(main())
    assert shared.read(b"dnsbl") == Totals(accepted=4, refused=2, bounced=2)
    assert shared.read(b"greylist") == Totals(refused=2)


def test_they_are_shared_before_long() -> None:
    """Without anybody's asking for it."""
    shared = SharedTotals([b"dnsbl"])

    async def main() -> None:
        WorkerTotals(shared).note(b"dnsbl", Accept())
        async with asyncio.timeout(PATIENCE):
            while shared.read(b"dnsbl") == Totals():
                await asyncio.sleep(0.01)

    asyncio.run(main())
    assert shared.read(b"dnsbl") == Totals(accepted=1)
