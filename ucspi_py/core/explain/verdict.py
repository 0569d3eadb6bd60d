"""The last word about a client, by the replies that it sees."""

from collections.abc import Sequence

from .steps import Step


def sentence(steps: Sequence[Step], program: str | None = None) -> str:
    """Say what becomes of a client that was spoken with. program: behind a gate; None = there is no gate."""
    spoken = [step for step in steps if step.reply]
    recipients = [step for step in spoken if step.what.startswith("RCPT ")]
    last = next((step for step in reversed(spoken) if _is_refusal(step)), None)
    taken = [step for step in recipients if not _is_refusal(step)]
    if last is None or (taken and last in recipients):
        of_all = f" for {len(taken)} of {len(recipients)} recipients" if len(taken) < len(recipients) else ""
        return f"comes to {program}{of_all}" if taken else "is greeted; name a recipient (--recipient) to ask on"
    return f"is refused at {last.what}: {last.reply[-1]}"


def _is_refusal(step: Step) -> bool:
    return step.reply[-1][:1] in ("4", "5") or not step.reply[-1]
