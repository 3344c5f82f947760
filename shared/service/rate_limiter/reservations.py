"""Reserving slots in the shared row: ordinary ones for the instance's pool, a probe for one turn alone."""

from collections.abc import Mapping

from shared.core.rate_limit import Quota, RateLimitState, Slot, state
from shared.core.rate_limit.quota import Demand, scarce
from shared.service.ports.runtime import Randomness
from shared.service.ports.storage import Conflict
from shared.service.rate_limiter.admission import Admission
from shared.service.rate_limiter.shared_row import SharedRow
from shared.service.rate_limiter.slot_pool import MIN_BATCH, Lacking, SlotPool

#: When to try again after the row gave no slot: it is full as far ahead as slots may be reserved.
_ROW_FULL_MILLISECONDS = 1_000
#: The same while one slot is given out at a time, because the route is unconfirmed.
_NEXT_TO_COME_MILLISECONDS = 200
_RESERVE_AHEAD = 300
#: The bulk lane reserves this much further ahead, no more: a normal update gets the slot behind those.
BULK_AHEAD_MILLISECONDS = 1_000
#: Normal updates reserve this much sooner than needed: before the bulk lane, where both wait.
NORMAL_AHEAD_MILLISECONDS = 1_000
_MIN_WAIT_MILLISECONDS = 200


class Reservations:
    """Safe to call from any thread. ``call_milliseconds`` is the limit of one call: a probe's caller has that long."""

    def __init__(
        self,
        row: SharedRow,
        pool: SlotPool,
        quota: Quota,
        *,
        randomness: Randomness,
        call_milliseconds: int,
    ) -> None:
        self._row, self._pool, self._quota, self._randomness = row, pool, quota, randomness
        self._call_milliseconds = call_milliseconds

    def needed_until(self, now: int, lead: int) -> Mapping[bool, int]:
        """Return up to when a lane, the bulk one by True, should have slots.

        The time it takes to reserve the next ones has to be bridged. Normal updates reserve sooner than the bulk lane.
        """
        bridge = now + lead + 2 * int(self._row.swap_takes) + _RESERVE_AHEAD
        return {False: bridge + NORMAL_AHEAD_MILLISECONDS, True: bridge}

    def reserve(self, lacking: Lacking, lead: int) -> None:
        """Reserve slots that leave a turn ``lead`` milliseconds, and give back lapsed ones."""
        lapsed, slots, granted = self._pool.lapsed(), tuple[Slot, ...](), tuple[Slot, ...]()
        count, usable_in = lacking.count, lead + int(self._row.swap_takes)
        if scarce(self._row.known.stamps, self._quota, self._row.now()):
            count = max(count, MIN_BATCH)  # a backlog: more turns are about to come
        else:
            usable_in = max(0, usable_in - self._quota.patience // 2)
        batch = min(count, MIN_BATCH, self._quota.count)

        def reserve(row: RateLimitState) -> RateLimitState:
            nonlocal slots
            now = self._row.now()
            until = self.needed_until(now, lead)
            demand = Demand(
                now=now,
                earliest=now + usable_in,
                count=batch,
                spare=count - batch,
                until=until[True] + (BULK_AHEAD_MILLISECONDS if lacking.bulk else 0),
                bulk=lacking.bulk,
                until_contested=until[True],
            )
            changed, slots = state.reserve(state.release(row, lapsed), self._quota, demand)
            return changed

        again = 0
        try:
            self._row.swap(reserve)
            self._pool.given_back(lapsed)
            granted, again = slots, 0 if slots else self._again(lacking, lead)
        except Conflict:
            again = self._row.now() + int(_ROW_FULL_MILLISECONDS * self._randomness.jitter())
        finally:
            self._pool.end_reserving(granted, bulk=lacking.bulk, again=again)

    def _again(self, lacking: Lacking, lead: int) -> int:
        """Return when to try again after the row gave no slot."""
        known, now = self._row.known, self._row.now()
        if not known.route.confirmed:
            return now + _NEXT_TO_COME_MILLISECONDS
        if not lacking.bulk:
            return now + _ROW_FULL_MILLISECONDS
        # Once half of what the bulk lane may reserve ahead is free again: so few calls do for many instances.
        ahead = 0 if known.lanes.contested(now) else BULK_AHEAD_MILLISECONDS // 2
        free_at = (known.stamps[-1] if known.stamps else 0) - self.needed_until(0, lead)[True] - ahead
        wait = min(max(free_at - now, _MIN_WAIT_MILLISECONDS), _ROW_FULL_MILLISECONDS)
        return now + wait + int(_MIN_WAIT_MILLISECONDS * self._randomness.jitter())

    def reserve_probe(self, admission: Admission) -> Slot | None:
        """Return the slot of an outage's one probe, or of this hour's try of the route; None when another has it.

        Raise ``Unavailable`` or ``Conflict`` when storage gives none.
        """
        if not self._pool.start_probe():
            return None
        slot: Slot | None = None

        def reserve(row: RateLimitState) -> RateLimitState:
            nonlocal slot
            now = self._row.now()
            changed, slot = state.reserve_probe(
                row,
                self._quota,
                admission.policy_id,
                demand=Demand(now=now, earliest=now),
                call_milliseconds=self._call_milliseconds,
                probing=admission.used,
                past_latch=admission.past_latch,
            )
            return changed

        try:
            self._row.swap(reserve)
        finally:
            self._pool.end_reserving()
        return slot
