"""A value's version: the time of its report, then the update's id; values are ordered by it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.basics.timestamp import TICKS_PER_SECOND, ticks, ticks_of
from shared.core.basics.update_id import accepted_at

#: A report from further ahead than this counts as reported when it was accepted.
FUTURE_TOLERANCE = timedelta(minutes=5)
#: Before this, a report's time is Graph's "never reported" (0001-01-01T00:00:00Z), which is no time.
_FIRST_REPORT = ticks_of(datetime(2, 1, 1, tzinfo=UTC))
_TOLERATED_TICKS = int(FUTURE_TOLERANCE.total_seconds()) * TICKS_PER_SECOND


@dataclass(frozen=True, order=True)
class Version:
    """``instant`` in 100 ns since year 1; ``id`` of the update that first brought the value."""

    instant: int
    id: str

    def to_text(self) -> str:
        """Return ``instant|id``."""
        return f"{self.instant}|{self.id}"

    @classmethod
    def from_text(cls, text: str) -> "Version":
        """Return the version of such a text. Raise ``ValueError`` where it is none."""
        instant, bar, update_id = text.partition("|")
        if not bar:
            raise ValueError(text)
        return cls(int(instant), update_id)


def version_of(last_reported: str | None, update_id: str) -> Version:
    """Return the version of an update's values: its report's time where it has one, else its acceptance time."""
    accepted = ticks_of(accepted_at(update_id))
    reported = ticks(last_reported) if last_reported is not None else None
    if reported is None or not _FIRST_REPORT <= reported <= accepted + _TOLERATED_TICKS:
        reported = accepted
    return Version(reported, update_id)
