"""Pauses that hold updates: one of an operator is meant, one of the brake waits for a decision."""

from collections.abc import Sequence

from shared.core.pause import Kind, Pause
from shared.service.diagnosis.checks import CheckResult, failing, ok

_DECIDE = (
    "List the updates with statusDetail=held and find out why so many changed. Then send them (relay resume ID) or "
    "cancel them (relay resume ID --cancel); relay pauses lists the ids."
)


def pause_check(name: str, pauses: Sequence[Pause]) -> CheckResult:
    """Return the finding about the pauses that hold updates now: failing where the brake has opened one."""
    braked = [pause for pause in pauses if pause.kind is Kind.BRAKE]
    if braked:
        return failing(name, " ".join(pause.reason for pause in braked), _DECIDE)
    if not pauses:
        return ok(name, "Nothing is paused.")
    count = "1 pause holds" if len(pauses) == 1 else f"{len(pauses)} pauses hold"
    return ok(name, f"{count} updates, the oldest since {pauses[0].created:%Y-%m-%d %H:%M} UTC.")
