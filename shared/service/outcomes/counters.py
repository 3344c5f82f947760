"""Counting what happens: in memory, written to storage soon after, so that statistics cost the same at any size.

Each instance writes rows of its own, an hour each: no conflicts, and one call for however many changes. An instance
that is killed loses the counts of its last seconds; outcomes themselves never depend on them.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from shared.core.delivery.outcome import Outcome
from shared.core.delivery.statistics import (
    REACH,
    WRITES,
    Counts,
    Minutes,
    Statistics,
    hour_of,
    notice_counts,
    sum_counts,
    transition_counts,
    verification_counts,
    webhook_counts,
)
from shared.core.delivery.verification import VerificationState
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import CounterStore, Unavailable

log = logging.getLogger(__name__)

#: Counts reach storage this long after the first of them.
FLUSH_SECONDS = 20.0
_KEPT = timedelta(hours=2)


class Counters:
    """The counts of one process; ``later`` calls back after some seconds, on a thread of its own."""

    def __init__(
        self, store: CounterStore, clock: Clock, instance: str, later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self._store, self._clock, self._instance, self._later = store, clock, instance, later
        self._lock = Lock()
        self._hours: dict[datetime, dict[int, Counter[str]]] = {}
        self._unwritten: set[datetime] = set()
        self._due = False

    def outcome_changed(self, before: Outcome | None, after: Outcome) -> None:
        """Count that an outcome was made (``before`` is None) or changed."""
        self._count(transition_counts(before, after))

    def wrote(self) -> None:
        """Count a write request to Graph."""
        self._count({WRITES: 1})

    def webhook_requested(self, source: str, refusal: str | None) -> None:
        """Count a request of a webhook source, and why it was refused."""
        self._count(webhook_counts(source, refusal))

    def notice_ended(self, became: str) -> None:
        """Count an outcome notice: ``statistics.SENT`` or ``statistics.DROPPED``."""
        self._count(notice_counts(became))

    def verified(self, state: VerificationState) -> None:
        """Count the verdict on a delivered update."""
        self._count(verification_counts(state))

    def flush(self) -> None:
        """Write what is not written; what cannot be written is tried again."""
        with self._lock:
            self._due = False
            rows = [(hour, self._copied(hour)) for hour in sorted(self._unwritten)]
            self._unwritten.clear()
        try:
            for hour, minutes in rows:
                self._store.write(hour, self._instance, minutes)
        except Unavailable as error:
            log.warning("counts not written", extra={"reason": str(error)})
            with self._lock:
                self._unwritten |= {hour for hour, _ in rows}
            self._schedule()
        self._forget()

    def statistics(self) -> Statistics:
        """Return the last 24 hours: what storage has, and this instance's counts as they are now."""
        now = self._clock.now()
        with self._lock:
            own = {hour: self._copied(hour) for hour in self._hours}
        stored = [
            (row.hour, row.minutes)
            for row in self._store.read(hour_of(now - REACH))
            if row.instance != self._instance or row.hour not in own
        ]
        return sum_counts([*stored, *own.items()], now)

    def _count(self, counts: Counts) -> None:
        if not counts:
            return
        now = self._clock.now()
        hour = hour_of(now)
        with self._lock:
            self._hours.setdefault(hour, {}).setdefault(now.minute, Counter()).update(counts)
            self._unwritten.add(hour)
        self._schedule()

    def _schedule(self) -> None:
        with self._lock:
            due, self._due = self._due, True
        if not due:
            self._later(FLUSH_SECONDS, self.flush)

    def _copied(self, hour: datetime) -> Minutes:
        return {minute: dict(counts) for minute, counts in self._hours[hour].items()}

    def _forget(self) -> None:
        oldest = hour_of(self._clock.now() - _KEPT)
        with self._lock:
            for hour in [hour for hour in self._hours if hour < oldest and hour not in self._unwritten]:
                del self._hours[hour]
