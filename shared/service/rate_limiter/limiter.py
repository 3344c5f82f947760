"""The rate limiter of one instance.

Slots are reserved a few at a time by one of the waiting turns, before the last ones are used and outside the lock that
gives them out. A turn gets its slot as long before it opens as a turn takes to get ready; that time is measured. A slot
that is not used goes to the next turn; one that has lapsed goes back to the quota at the next reservation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import hold_seconds
from shared.core.rate_limit import Quota, RateLimitState, Slot, state
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import RateLimitStore
from shared.service.rate_limiter.admission import Admission, Deferred, RouteMissing
from shared.service.rate_limiter.comebacks import Comebacks
from shared.service.rate_limiter.reservations import Reservations
from shared.service.rate_limiter.shared_row import Estimate, SharedRow
from shared.service.rate_limiter.slot_pool import SlotPool
from shared.service.rate_limiter.verdict import change_after

#: A turn waits in place for no longer than this in total, then its update goes back to the queue.
MAX_WAIT_MILLISECONDS = 240_000
#: A read, which comes before the turn, waits for no longer than this.
MAX_READ_WAIT_MILLISECONDS = 60_000
#: The doctor's caller does not wait for long.
MAX_DIAGNOSTIC_WAIT_MILLISECONDS = 10_000
#: A row older than this is read again before a write, so that all instances see a hold.
FRESH_MILLISECONDS = 1_500
#: How old the row may be while another thread reads it.
_MAX_AGE = 3_000
#: While it is not known whether there is a route, each call counts: the row is read just before it.
_FRESH_UNCONFIRMED = 100
#: A turn needs about this long to get ready, until that has been measured.
_FIRST_LEAD = 250
_LEAD_RESERVE = 80
_POLL_MILLISECONDS = 100
_MIN_DELAY = 1_000


class RateLimiter:
    """One per process; its methods may be called from any thread."""

    def __init__(
        self,
        store: RateLimitStore,
        quota: Quota,
        *,
        clock: Clock,
        randomness: Randomness,
        call_milliseconds: int,
    ) -> None:
        self._quota, self._clock, self._randomness = quota, clock, randomness
        self._row = SharedRow(store, clock=clock, randomness=randomness, call_milliseconds=call_milliseconds)
        self._pool = SlotPool()
        self._reservations = Reservations(
            self._row,
            self._pool,
            quota,
            randomness=randomness,
            call_milliseconds=call_milliseconds,
        )
        self._preparation = Estimate(_FIRST_LEAD)
        self._lock = Lock()
        self._given_at: dict[Slot, int] = {}
        self._comebacks = Comebacks(quota)

    @contextmanager
    def slot(self, policy_id: str, *, bulk: bool = False, diagnostic: bool = False) -> Iterator[Admission]:
        """Yield what one turn may use of the quota; give back at the end what it did not use.

        ``bulk``: for an update of the bulk lane. ``diagnostic`` is the doctor's probe: a missing route does not stop
        it, and it does not wait for long.
        """
        limit = MAX_DIAGNOSTIC_WAIT_MILLISECONDS if diagnostic else MAX_WAIT_MILLISECONDS
        admission = Admission(self, policy_id, give_up_at=self._row.now() + limit, past_latch=diagnostic, bulk=bulk)
        try:
            yield admission
        finally:
            admission.release()

    def acquire(self, admission: Admission) -> Slot | Deferred | RouteMissing:
        """Wait for a slot that is about to open. Raise ``Unavailable`` or ``Conflict`` when storage gives none."""
        self._pool.join(admission)
        try:
            while True:
                answer = self._step(admission)
                if answer is not None:
                    return answer
        finally:
            self._pool.leave(admission)

    def wait_until_open(self, admission: Admission, slot: Slot) -> bool:
        """Wait until the slot opens; return False when it cannot be used any more, or a hold came up."""
        with self._lock:
            given_at = self._given_at.pop(slot, None)
        if given_at is not None:
            self._preparation.observe(self._row.now() - given_at)
        if not self._row.known.route.confirmed:
            self._sleep_until(slot.opens - self._last_look())
            if self._row.age() >= _FRESH_UNCONFIRMED:
                self._row.refresh()
        self._sleep_until(slot.opens)
        known = self._row.known
        barred = known.route.latched and not admission.past_latch
        usable = not barred and self._row.now() <= slot.closes and known.admits(slot, admission.policy_id)
        if not usable:
            self.release(slot)
        return usable

    def release(self, slot: Slot) -> None:
        """Give back a slot that was not used."""
        with self._lock:
            self._given_at.pop(slot, None)
        if self._row.known.is_probe(slot):
            self._row.share(lambda row: state.release(row, (slot,)))
        else:
            self._pool.put_back(slot, now=self._row.now())

    def wait_while_held(self) -> Deferred | None:
        """Wait until nothing holds reads back; return ``Deferred`` when that takes too long."""
        give_up_at = self._row.now() + MAX_READ_WAIT_MILLISECONDS
        while True:
            if self._row.age() >= FRESH_MILLISECONDS:
                self._row.refresh()
            known, now = self._row.known, self._row.now()
            closed_until = known.held_until
            if closed_until <= now:
                return None
            if closed_until > give_up_at:
                return self._deferred(closed_until)
            self._sleep_until(min(closed_until, now + FRESH_MILLISECONDS))

    def record(self, policy_id: str, key: str, reply: GraphReply) -> None:
        """Let all instances know what a write of this user status met."""
        self.record_read(reply)
        change = change_after(reply, policy_id, key, now=self._row.now(), jitter=self._randomness.jitter())
        if change(self._row.known) != self._row.known:
            self._row.share(change)

    def record_read(self, reply: GraphReply) -> None:
        """Let all instances know what a read met: only how long Graph asks to wait; writes find out about outages."""
        asked = hold_seconds(reply)
        if asked is not None:
            until = self._row.now() + int(asked * 1000)
            self._row.share(lambda row: state.hold(row, until))

    def _step(self, admission: Admission) -> Slot | Deferred | RouteMissing | None:
        """Return the answer, or None after some waiting or work that brings it nearer."""
        known, now = self._row.known, self._row.now()
        latched = known.route.latched and not admission.past_latch
        closed_until = known.closed_until(admission.policy_id, admission.used)
        needed = latched or closed_until > now or not self._pool.empty()
        if needed and self._row.age() >= FRESH_MILLISECONDS and self._refreshed(admission):
            return None
        if latched and now < known.route.retry_at:
            return RouteMissing()
        if closed_until > now:
            return self._closed(admission, known, now)
        if latched or known.breaker(admission.policy_id).open:
            return self._probe(admission)
        if now >= admission.give_up_at:
            return self._deferred(now + max(_MIN_DELAY, min(self._quota.window // self._quota.count, 60_000)))
        return self._next_slot(admission, known, now)

    def _refreshed(self, admission: Admission) -> bool:
        """Read the row; return False when another thread does that, and what is known is good enough meanwhile."""
        with self._pool.aside(admission):
            if self._row.refresh():
                return True
        if self._row.age() < _MAX_AGE:
            return False
        self._sleep_until(self._row.now() + _POLL_MILLISECONDS)
        return True

    def _closed(self, admission: Admission, known: RateLimitState, now: int) -> Deferred | None:
        """Wait for the end of a hold or an outage; what waits for its own policy's goes back to the queue at once."""
        breaker = known.breaker(admission.policy_id)
        opens = max(known.hold_until, breaker.pause_until)
        if known.policy(admission.policy_id).open and known.hold_until <= now and admission.used is None:
            opens = max(opens, now + _MIN_DELAY)
            return self._deferred(self._comebacks.next(admission.policy_id, breaker.pause_until, opens))
        if opens > admission.give_up_at or now >= admission.give_up_at:
            return self._deferred(max(opens, now + _MIN_DELAY))
        self._sleep_until(min(known.closed_until(admission.policy_id, admission.used), now + FRESH_MILLISECONDS))
        return None

    def _probe(self, admission: Admission) -> Slot | None:
        """Return an outage's one probe, or this hour's try of the route; None after a moment where there is none."""
        slot = self._reservations.reserve_probe(admission)
        if slot is None:
            self._sleep_until(self._row.now() + _POLL_MILLISECONDS)
            return None
        admission.past_latch = admission.past_latch or self._row.known.route.latched
        self._sleep_until(slot.opens - int(self._preparation) - self._last_look() - _LEAD_RESERVE)
        return slot

    def _next_slot(self, admission: Admission, known: RateLimitState, now: int) -> Slot | None:
        last_look = self._last_look()
        to_come = int(self._preparation) + last_look
        lead = (last_look if admission.ready else to_come) + _LEAD_RESERVE
        # In a moment of slowness some turns are ready sooner than others: only what is hopeless is given up.
        ready_in = last_look + (0 if admission.ready else self._preparation.least)
        slot = self._pool.take(admission, now=now, lead=lead, ready_in=ready_in, held_until=known.hold_until)
        if slot is not None:
            if not admission.ready:
                with self._lock:
                    self._given_at[slot] = now
            return slot
        to_come += _LEAD_RESERVE
        needed_until = self._reservations.needed_until(now, to_come)
        lacking = self._pool.start_reserving(now=now, needed_until=needed_until, owed=known.lanes.owed)
        if lacking is not None:
            with self._pool.aside(admission):
                self._reservations.reserve(lacking, to_come)
        else:
            self._sleep_until(self._pool.look_again(admission, now=now, lead=lead))
        return None

    def _last_look(self) -> int:
        """Return how long before a slot opens the row has to be read once more, in milliseconds."""
        return 0 if self._row.known.route.confirmed else int(self._row.read_takes) + _LEAD_RESERVE

    def _deferred(self, moment: int) -> Deferred:
        return Deferred(self._row.local_time(moment))

    def _sleep_until(self, moment: int) -> None:
        seconds = (moment - self._row.now()) / 1000
        if seconds > 0:
            self._clock.pause(seconds)
