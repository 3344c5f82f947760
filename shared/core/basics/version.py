"""A value's version: when it was reported, ties by id; the order in which values stand."""

from dataclasses import dataclass
from datetime import timedelta

from shared.core.basics.timestamp import TICKS_PER_SECOND, ticks, ticks_of
from shared.core.basics.update_id import accepted_at

#: A report from further ahead than this counts as reported when it was accepted.
FUTURE_TOLERANCE = timedelta(minutes=5)
_TOLERATED_TICKS = int(FUTURE_TOLERANCE.total_seconds()) * TICKS_PER_SECOND


@dataclass(frozen=True, order=True)
class Version:
    """``instant`` in 100 ns since year 1; ``id`` of the update that first brought the value."""

    instant: int
    id: str

    def to_text(self) -> str:
        """``instant|id``."""
        return f"{self.instant}|{self.id}"

    @classmethod
    def from_text(cls, text: str) -> "Version":
        """The inverse of ``to_text``; raises ValueError."""
        instant, bar, update_id = text.partition("|")
        if not bar:
            raise ValueError(text)
        return cls(int(instant), update_id)


def version_of(last_reported: str | None, update_id: str) -> Version:
    """The version of an update's values."""
    accepted = ticks_of(accepted_at(update_id))
    reported = ticks(last_reported) if last_reported is not None else None
    if reported is None or reported > accepted + _TOLERATED_TICKS:
        reported = accepted
    return Version(reported, update_id)
