"""Delivered values that Graph did not show any more when its lists were read back."""

from datetime import timedelta

from shared.core.delivery.statistics import Statistics
from shared.core.delivery.verification import VerificationState
from shared.service.diagnosis.checks import CheckResult, failing, ok, unknown

_RECALCULATED = (
    "Intune calculates these values itself from what devices report. Open an overwritten update (its verification says "
    "so) and compare it with the Intune admin center. Where Intune's value is right, stop sending for that policy; "
    "where it is not, mend what the devices report, since a value that is sent again is replaced again."
)
_UNREAD = "See graphRead and the log lines 'list not read': the lists could not be read whole, or lack these users."


def verification_check(name: str, statistics: Statistics, after: timedelta) -> CheckResult:
    """Return the finding about the verdicts of the last 24 hours: failing where Intune replaced values."""
    counts = statistics.verification
    confirmed, overwritten, unread = (counts[state.value] for state in VerificationState)
    checked = confirmed + overwritten
    if overwritten:
        return failing(
            name, f"Intune recalculated {overwritten} of {checked} values within {_span(after)}.", _RECALCULATED
        )
    if unread and not checked:
        return unknown(name, f"None of {unread} values could be verified in the last 24 hours.", _UNREAD)
    return ok(name, f"Graph still showed all {checked} values that were verified in the last 24 hours.")


def _span(after: timedelta) -> str:
    """Return a span of time in words, in minutes where it is whole ones."""
    seconds = after / timedelta(seconds=1)
    count, unit = (seconds / 60, "minute") if seconds % 60 == 0 else (seconds, "second")
    return f"{count:g} {unit}{'' if count == 1 else 's'}"
