"""The gate before every Graph write: the shared hold first, then a slot of the shared quota.

Each instance books a few slots ahead by compare-and-swap, so the storage calls do not grow with waiting. A slot that is
not used goes to the next message; one that has lapsed is given back at the next booking.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from shared.core import rate_limit as row
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import hold_seconds, is_answer, is_outage
from shared.core.rate_limit import Quota, RateLimitState, Slot
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import Conflict, RateLimitStore, Unavailable

log = logging.getLogger(__name__)

#: Slots booked at a time: few enough that three instances stay within seconds of the present.
BOOKED_AHEAD = 4
#: A turn reads its user status this long before its slot opens.
LEAD_MILLISECONDS = 250
#: A row older than this is read again before a write, so that a hold is seen by all.
FRESH_MILLISECONDS = 1_500
#: What has to wait longer than this goes back to the queue.
PATIENCE_MILLISECONDS = 60_000
_POLL_MILLISECONDS = 100
_TRIES = 12


@dataclass(frozen=True)
class Deferred:
    """Nothing may be written before then: come back."""

    when: datetime


@dataclass
class HeldSlot:
    """The slot of one turn, given back unless it is used."""

    slot: Slot | None

    def next(self, limiter: "RateLimiter") -> Slot | Deferred:
        """Return this slot, or wait for another one where it was used."""
        if self.slot is None:
            entered = limiter.enter()
            if isinstance(entered, Deferred):
                return entered
            self.slot = entered
        return self.slot

    def use(self) -> None:
        """Note that the slot is used."""
        self.slot = None


class RateLimiter:
    """One per process; its methods may be called from any thread."""

    def __init__(
        self, store: RateLimitStore, quota: Quota, *, clock: Clock, randomness: Randomness, call_milliseconds: int
    ) -> None:
        self._store, self._quota, self._clock, self._randomness = store, quota, clock, randomness
        self._call_milliseconds = call_milliseconds
        self._lock = Lock()
        self._pool: list[Slot] = []
        self._lapsed: list[Slot] = []
        self._waiting = 0
        self._known = RateLimitState()
        self._known_at = 0

    def enter(self) -> Slot | Deferred:
        """Wait for a slot that is about to open; ``Later`` when a hold is too long to wait in place."""
        with self._lock:
            self._waiting += 1
        try:
            return self._enter()
        finally:
            with self._lock:
                self._waiting -= 1

    @contextmanager
    def slot(self) -> Iterator[HeldSlot | Deferred]:
        """``enter``, and give the slot back at the end unless it was used."""
        entered = self.enter()
        if isinstance(entered, Deferred):
            yield entered
            return
        held = HeldSlot(entered)
        try:
            yield held
        finally:
            if held.slot is not None:
                self.give_back(held.slot)

    def wait(self, slot: Slot) -> bool:
        """Wait until the slot is open; False when it cannot be used any more, or a hold came up."""
        self._sleep_until(slot.opens)
        with self._lock:
            usable = self._usable(slot)
        if not usable:
            self.give_back(slot)
        return usable

    def give_back(self, slot: Slot) -> None:
        """This slot was not used: it goes to the next message, or back to the quota."""
        with self._lock:
            self._keep(slot)

    def hold(self) -> Deferred | None:
        """Wait until nothing holds calls back, reads too; ``Later`` when that is too long to wait in place."""
        while True:
            with self._lock:
                self._refresh()
                closed_until = self._known.closed_until
            left = closed_until - self._now()
            if left <= 0:
                return None
            if left > PATIENCE_MILLISECONDS:
                return _later(closed_until)
            self._sleep_until(self._now() + min(left, FRESH_MILLISECONDS))

    def report_read(self, reply: GraphReply) -> None:
        """Let all instances know what a read met: only how long Graph asks for; writes find out about outages."""
        asked = hold_seconds(reply)
        if asked is not None:
            until = self._now() + int(asked * 1000)
            self._change(lambda pacing: row.hold(pacing, until))

    def report(self, key: str, reply: GraphReply) -> None:
        """Let all instances know what a call to this user status met."""
        self.report_read(reply)
        if is_outage(reply):
            jitter = self._randomness.jitter()
            self._change(lambda pacing: row.fault(pacing, key, now=self._now(), jitter=jitter))
        elif is_answer(reply) and self._known.faults:
            self._change(row.success)

    def _enter(self) -> Slot | Deferred:
        while True:
            with self._lock:
                slot = self._take()
                closed_until = self._known.closed_until
            now = self._now()
            if slot is None:
                if closed_until - now > PATIENCE_MILLISECONDS:
                    return _later(closed_until)
                self._sleep_until(now + min(max(_POLL_MILLISECONDS, closed_until - now), FRESH_MILLISECONDS))
            else:
                self._sleep_until(slot.opens - LEAD_MILLISECONDS)
                if self._still_good(slot):
                    return slot
                self.give_back(slot)

    def _take(self) -> Slot | None:
        self._sort_out()
        if not self._pool:
            if self._known.closed_until > self._now():
                self._refresh()
            else:
                self._book()
        return self._pool.pop(0) if self._pool else None

    def _still_good(self, slot: Slot) -> bool:
        with self._lock:
            self._refresh()
            return self._usable(slot)

    def _refresh(self) -> None:
        if self._now() - self._known_at >= FRESH_MILLISECONDS:
            self._know(self._store.read()[0])

    def _book(self) -> None:
        count = max(1, min(self._waiting, BOOKED_AHEAD, self._quota.count))
        lapsed, self._lapsed = self._lapsed, []

        def book(pacing: RateLimitState) -> RateLimitState:
            reserved = row.reserve(
                row.give_back(pacing, lapsed),
                self._quota,
                now=self._now(),
                count=count,
                probe_lasts=self._call_milliseconds,
            )
            self._pool = list(reserved.slots)
            return reserved.pacing

        try:
            self._swap(book)
        except (Conflict, Unavailable):
            self._pool, self._lapsed = [], lapsed
            raise

    def _change(self, change: Callable[[RateLimitState], RateLimitState]) -> None:
        try:
            with self._lock:
                self._swap(change)
        except (Conflict, Unavailable) as error:
            # The call's own outcome matters more; the next fault tells the others.
            log.warning("pacing not shared", extra={"reason": type(error).__name__})

    def _swap(self, change: Callable[[RateLimitState], RateLimitState]) -> None:
        for tries_left in reversed(range(_TRIES)):
            pacing, etag = self._store.read()
            changed = change(pacing)
            try:
                if changed != pacing:
                    self._store.write(changed, etag)
            except Conflict:
                if not tries_left:
                    raise
                self._clock.pause(0.02 * self._randomness.jitter())
            else:
                self._know(changed)
                return

    def _know(self, pacing: RateLimitState) -> None:
        self._known, self._known_at = pacing, self._now()

    def _sort_out(self) -> None:
        slots, self._pool = self._pool, []
        for slot in sorted(slots, key=lambda slot: slot.opens):
            self._keep(slot)

    def _keep(self, slot: Slot) -> None:
        (self._pool if self._usable(slot) else self._lapsed).append(slot)

    def _usable(self, slot: Slot) -> bool:
        return self._now() <= slot.closes and self._known.admits(slot)

    def _sleep_until(self, moment: int) -> None:
        seconds = (moment - self._now()) / 1000
        if seconds > 0:
            self._clock.pause(seconds)

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _later(moment: int) -> Deferred:
    return Deferred(datetime.fromtimestamp(moment / 1000, UTC))
