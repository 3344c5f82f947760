"""The shared row: reserved slots, the hold that Graph asked for, outages for all and by policy, route and lanes.

Nobody writes before ``hold_until`` (``Retry-After``). A policy in whose updates five faults follow each other holds
back its own updates alone. Faults in a row of two policies, and faults that no call escapes, hold back everyone.
While a policy's own breaker is open, that breaker alone governs its updates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from shared.core.rate_limit import lanes, outage, quota, route
from shared.core.rate_limit.lanes import NEVER_CONTESTED, Lanes
from shared.core.rate_limit.outage import CLOSED, Breaker
from shared.core.rate_limit.quota import MAX_CLOCK_SKEW, Demand, Quota, Slot
from shared.core.rate_limit.route import UNCONFIRMED, Route

#: ``Retry-After`` counts for no longer than this.
MAX_HOLD = 24 * 3_600_000
#: The row stays small: breakers of more policies than this are not kept.
MAX_POLICIES = 8


@dataclass(frozen=True)
class RateLimitState:
    """The shared row; ``unknown`` are the members that another version wrote, by column."""

    stamps: tuple[int, ...] = ()
    hold_until: int = 0
    everyone: Breaker = CLOSED
    policies: tuple[tuple[str, Breaker], ...] = ()
    route: Route = UNCONFIRMED
    lanes: Lanes = NEVER_CONTESTED
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def held_until(self) -> int:
        """Return the moment before which no call goes out, whatever its policy."""
        return max(self.hold_until, self.everyone.blocked_until)

    @property
    def outage(self) -> bool:
        """Return whether an outage is on, for everyone or for a policy."""
        return self.everyone.open or any(breaker.open for _, breaker in self.policies)

    def breaker(self, policy_id: str) -> Breaker:
        """Return the breaker that governs a policy's updates: its own while that is open, else everyone's."""
        own = self.policy(policy_id)
        return own if own.open else self.everyone

    def policy(self, policy_id: str) -> Breaker:
        """Return a policy's own breaker."""
        return dict(self.policies).get(policy_id, CLOSED)

    def closed_until(self, policy_id: str, probing: Slot | None = None) -> int:
        """Return the moment before which no write of this policy goes out; the caller's own probe stops nobody.

        Updates of the policy wait on purpose until then: none of them is lost.
        """
        breaker = self.breaker(policy_id)
        own = probing is not None and breaker.open and probing.closes == breaker.probe
        return max(self.hold_until, breaker.pause_until if own else breaker.blocked_until)

    def is_probe(self, slot: Slot) -> bool:
        """Return whether the slot was given to a probe, which no other turn may use."""
        return slot.closes in {self.everyone.probe, *(breaker.probe for _, breaker in self.policies)}

    def admits(self, slot: Slot, policy_id: str) -> bool:
        """Return whether hold and outages let a write of this policy go out in this slot."""
        return slot.opens >= self.hold_until and self.breaker(policy_id).admits(slot)


@dataclass(frozen=True)
class Fault:
    """A fault that may be part of an outage.

    ``key`` is the user status. ``policy_id`` is None where the fault does not depend on the policy (no token, no
    connection). ``at_once``: no other call fares better, so that the first one is enough.
    """

    key: str
    policy_id: str | None = None
    at_once: bool = False


def reserve(state: RateLimitState, limit: Quota, demand: Demand) -> tuple[RateLimitState, tuple[Slot, ...]]:
    """Return the state with the next slots reserved, and the slots.

    While the route is unconfirmed there is one at a time, and none that opens after ``demand.until``.
    """
    wanted = replace(demand, earliest=max(demand.earliest, state.hold_until))
    if not state.route.confirmed:
        wanted = replace(wanted, count=0, spare=1, gap=route.UNCONFIRMED_GAP)
    return _reserve_bulk(state, limit, wanted) if wanted.bulk else _reserve_normal(state, limit, wanted)


def _reserve_normal(state: RateLimitState, limit: Quota, wanted: Demand) -> tuple[RateLimitState, tuple[Slot, ...]]:
    stamps, slots = quota.reserve(state.stamps, limit, wanted)
    shared = lanes.after_normal(state.lanes, now=wanted.now, reserved=len(slots))
    return replace(state, stamps=stamps, lanes=shared), slots


def _reserve_bulk(state: RateLimitState, limit: Quota, wanted: Demand) -> tuple[RateLimitState, tuple[Slot, ...]]:
    until = wanted.until_contested if state.lanes.contested(wanted.now) else wanted.until
    gap = max(wanted.gap, limit.even_gap)
    near = replace(wanted, count=0, spare=wanted.count + wanted.spare, until=until, gap=gap)
    stamps, slots = quota.reserve(state.stamps, limit, near)
    if not slots and state.lanes.owed and state.route.confirmed:
        stamps, slots = quota.reserve(stamps, limit, replace(wanted, count=1, spare=0))
        slots = tuple(replace(slot, bulk=True) for slot in slots)
    return replace(state, stamps=stamps, lanes=lanes.after_bulk(state.lanes, reserved=len(slots))), slots


def reserve_probe(
    state: RateLimitState,
    limit: Quota,
    policy_id: str,
    *,
    demand: Demand,
    call_milliseconds: int,
    probing: Slot | None = None,
    past_latch: bool = False,
) -> tuple[RateLimitState, Slot | None]:
    """Return the state and the slot of this policy's next probe, or of this hour's try of the route.

    The slot is None while another probe is under way, or when another update has this hour's try; ``past_latch``: the
    caller needs none. ``probing`` is the slot of the caller's own probe: its second
    call, with a new token, belongs to the same probe.
    """
    breaker = state.breaker(policy_id)
    mine = probing is not None and probing.closes == breaker.probe
    claiming = state.route.latched and not past_latch
    if claiming and demand.now < state.route.retry_at:
        return state, None
    if breaker.open and demand.now < breaker.probe_until and not mine:
        return state, None
    earliest = max(demand.earliest, state.hold_until, breaker.pause_until if breaker.open else 0)
    # The probe is recognised by its stamp: no other slot may have the same.
    stamps, slots = quota.reserve(state.stamps, limit, replace(demand, earliest=earliest, count=1, spare=0, gap=1))
    if not slots:
        return state, None
    claimed = replace(state, stamps=stamps)
    if claiming:
        claimed = replace(claimed, route=route.claim(state.route, now=demand.now))
    if breaker.open:
        claimed = _with_breaker(claimed, policy_id, outage.start_probe(breaker, slots[0], call_milliseconds))
    return claimed, slots[0]


def release(state: RateLimitState, slots: tuple[Slot, ...]) -> RateLimitState:
    """Return the state without slots that were not used."""
    for slot in slots:
        own = tuple((policy_id, outage.end_probe(breaker, slot)) for policy_id, breaker in state.policies)
        state = replace(state, everyone=outage.end_probe(state.everyone, slot), policies=own)
    return replace(state, stamps=quota.release(state.stamps, slots))


def hold(state: RateLimitState, until: int) -> RateLimitState:
    """Return the state in which everyone waits until then at least."""
    return replace(state, hold_until=max(state.hold_until, until))


def record_fault(state: RateLimitState, fault: Fault, *, now: int, jitter: float) -> RateLimitState:
    """Return the state after a fault: it counts for the policy first, then for everyone."""
    key = digest(fault.key)
    if fault.at_once:
        return replace(state, everyone=outage.trip(state.everyone, key, now=now, jitter=jitter))
    everyone = outage.count_fault(state.everyone, key, now=now, jitter=jitter)
    if fault.policy_id is None:
        return replace(state, everyone=everyone)
    own = state.policy(fault.policy_id)
    if state.everyone.open and not own.open:
        return replace(state, everyone=everyone)
    counted = outage.count_fault(own, key, now=now, jitter=jitter)
    state = _with_policy(state, fault.policy_id, counted)
    if own.open or (everyone.open and set(everyone.faults) <= set(counted.faults)):
        return state  # this policy's faults alone do not stop the others
    return replace(state, everyone=everyone)


def record_success(state: RateLimitState, policy_id: str) -> RateLimitState:
    """Return the state after a call went through: no outage for everyone, none of this policy, and there is a route.

    When an outage for everyone ends, the policies that are still held may send their probes now.
    """
    others = tuple((other, breaker) for other, breaker in state.policies if other != policy_id)
    if state.everyone.open:
        others = tuple((other, replace(breaker, pause_until=0)) for other, breaker in others)
    return replace(state, everyone=CLOSED, policies=others, route=Route(confirmed=True))


def end_probe(state: RateLimitState, policy_id: str) -> RateLimitState:
    """Return the state after a probe's answer that says nothing about the outage, such as a throttle."""
    breaker = state.breaker(policy_id)
    return _with_breaker(state, policy_id, replace(breaker, probe=0, probe_until=0)) if breaker.open else state


def record_refusal(state: RateLimitState, policy_id: str) -> RateLimitState:
    """Return the state after Graph refused a write for good: Graph is at work, and has a route."""
    return replace(record_success(state, policy_id), route=route.record_refusal(state.route))


def record_missing_route(state: RateLimitState, policy_id: str, key: str, *, now: int) -> RateLimitState:
    """Return the state after Graph had no route for the write of this user status."""
    missing = route.record_missing(state.route, digest(key), now=now)
    return replace(record_success(state, policy_id), route=missing)


def plausible(state: RateLimitState, *, now: int, call_milliseconds: int) -> RateLimitState:
    """Return the state without times that lie further ahead than they ever may: a clock that was wrong wrote them."""

    def checked(breaker: Breaker) -> Breaker:
        return outage.plausible(breaker, now=now, call_milliseconds=call_milliseconds)

    return replace(
        state,
        hold_until=state.hold_until if state.hold_until <= now + MAX_HOLD + MAX_CLOCK_SKEW else 0,
        everyone=checked(state.everyone),
        policies=tuple((policy_id, checked(breaker)) for policy_id, breaker in state.policies),
        route=route.plausible(state.route, now=now),
        lanes=lanes.plausible(state.lanes, now=now),
    )


def digest(key: str) -> str:
    """Return what the row keeps of a user status: short, and without anyone's name."""
    return sha256(key.encode()).hexdigest()[:12]


def _with_breaker(state: RateLimitState, policy_id: str, breaker: Breaker) -> RateLimitState:
    """Return the state with the breaker that governs this policy replaced."""
    if state.policy(policy_id).open:
        return _with_policy(state, policy_id, breaker)
    return replace(state, everyone=breaker)


def _with_policy(state: RateLimitState, policy_id: str, breaker: Breaker) -> RateLimitState:
    """Return the state with a policy's own breaker; the one without an outage that was changed first gives way."""
    kept = [(other, known) for other, known in state.policies if other != policy_id]
    if len(kept) >= MAX_POLICIES:
        kept.remove(next((pair for pair in kept if not pair[1].open), kept[0]))
    return replace(state, policies=(*kept, (policy_id, breaker)))
