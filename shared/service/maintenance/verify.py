"""Read Graph's lists back some time after success, to see whether Intune still shows what the relay wrote.

A delivered update's outcome says from when on it is to be verified, so nothing else is stored for it. A sweep reads
each policy's list once for all of its updates that are due. A long list is read over several sweeps; where the process
ends meanwhile, the next one begins with the first page. Reading spends no write quota and keeps to the shared hold.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import Outcome
from shared.core.delivery.retry import hold_seconds, is_success, wants_new_token
from shared.core.delivery.user_status import UserStatusRow
from shared.core.delivery.verification import StatusReading, Verification, VerificationState, verdict
from shared.service.delivery.directories import KEPT, LIST
from shared.service.outcomes.counters import Counters
from shared.service.ports.graph import Graph, GraphCall, Identity, IdentityUnavailable
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import OutcomeFilter, OutcomeStore, StoredOutcome, UserStatusStore
from shared.service.ports.telemetry import Telemetry
from shared.service.rate_limiter import RateLimiter

log = logging.getLogger(__name__)

#: One sweep takes as many updates, reads as many pages of all lists together, and begins no page after this time.
MAX_UPDATES, MAX_PAGES, MAX_SECONDS = 3_000, 500, 40
#: An update that could not be judged for this long after it was due counts as unknown.
PATIENCE = timedelta(minutes=1)
#: Beyond the deadline and the delay, for what was delivered at the last moment and a sweep that came late.
_BEYOND = timedelta(hours=2)


@dataclass
class _Budget:
    """What is left of one sweep."""

    ends: datetime
    pages: int

    def allows(self, now: datetime) -> bool:
        """Return whether another page may be read."""
        return self.pages > 0 and now < self.ends


@dataclass(frozen=True)
class Verify:
    """One per process; one sweep at a time. ``after`` is None where nothing is verified.

    ``deadline`` and ``retention`` bound how long ago an update was accepted that is delivered now.
    """

    outcomes: OutcomeStore
    user_statuses: UserStatusStore
    graph: Graph
    identity: Identity
    rate_limiter: RateLimiter
    counters: Counters
    clock: Clock
    telemetry: Telemetry
    after: timedelta | None
    deadline: timedelta
    retention: timedelta
    max_pages: int = MAX_PAGES
    readings: dict[str, StatusReading] = field(default_factory=dict)

    def __call__(self, *, everything: bool = False) -> int:
        """Verify what is due and return how many got a verdict; ``everything`` looks through the whole retention.

        Raise ``Unavailable``: what was not written is due at the next sweep.
        """
        if self.after is None:
            return 0
        now = self.clock.now()
        reach = self.retention if everything else self.deadline + self.after + _BEYOND
        budget = _Budget(now + timedelta(seconds=MAX_SECONDS), self.max_pages)
        by_policy = _by_policy(self._due(now, reach))
        verified = sum(self._verify(policy_id, due, budget) for policy_id, due in by_policy.items())
        if by_policy:
            log.info("verified", extra={"count": verified, "policies": len(by_policy)})
        return verified

    def _due(self, now: datetime, reach: timedelta) -> list[StoredOutcome]:
        wanted = OutcomeFilter(created_after=now - reach, verify_before=now)
        found: list[StoredOutcome] = []
        continuation: str | None = None
        while len(found) < MAX_UPDATES:
            page = self.outcomes.scan(wanted, MAX_UPDATES - len(found), continuation)
            found += page.found
            continuation = page.continuation
            if continuation is None:
                break
        return found

    def _verify(self, policy_id: str, due: Sequence[StoredOutcome], budget: _Budget) -> int:
        """Return how many updates of a policy got a verdict."""
        named = [stored for stored in due if _key(stored.outcome) is not None]
        nameless = dict.fromkeys(
            (stored.outcome.id for stored in due if stored not in named), VerificationState.UNKNOWN
        )
        found: Mapping[str, VerificationState | None] = {}
        if named and self._may_read(budget):
            reading = self._reading(policy_id, named)
            if self._is_read(policy_id, reading, budget):
                found = self._judged(reading, named)
                self.readings.pop(policy_id, None)
        return self._write(due, {**found, **nameless})

    def _may_read(self, budget: _Budget) -> bool:
        return budget.allows(self.clock.now()) and self.rate_limiter.wait_while_held() is None

    def _reading(self, policy_id: str, due: Iterable[StoredOutcome]) -> StatusReading:
        """Return the reading that goes on, or a new one: the link to a next page may expire."""
        now, known = self.clock.now(), self.readings.get(policy_id)
        if known is not None and now - known.page_at < KEPT:
            return known
        keys = [str(_key(stored.outcome)) for stored in due]
        reading = StatusReading(policy_id, keys, (stored.outcome.id for stored in due), now)
        self.readings[policy_id] = reading
        return reading

    def _is_read(self, policy_id: str, reading: StatusReading, budget: _Budget) -> bool:
        """Read on. Return whether the updates of this reading can be judged, if only as unknown."""
        try:
            token = self.identity.token()
            while not reading.is_over:
                if not budget.allows(self.clock.now()):
                    return False
                budget.pages -= 1
                answer, token = self._page(policy_id, reading.pages.next_link, token)
                why = reading.add(answer.reply.result, self.clock.now()) if is_success(answer.reply) else "no answer"
                if why is not None:
                    return self._failed(policy_id, answer.reply, why)
        except IdentityUnavailable as error:
            log.warning("list not read", extra={"policy_id": policy_id, "reason": str(error)})
            return False
        return True

    def _page(self, policy_id: str, link: str | None, token: str) -> tuple[GraphCall, str]:
        answer = self._asked(policy_id, link, token)
        if wants_new_token(answer.reply):
            token = self.identity.fresh_token(token)
            answer = self._asked(policy_id, link, token)
        return answer, token

    def _asked(self, policy_id: str, link: str | None, token: str) -> GraphCall:
        with self.telemetry.call(LIST, ()) as answered:
            answer = self.graph.list_user_statuses(policy_id, link, select=False, token=token)
            answered(answer)
        return answer

    def _failed(self, policy_id: str, reply: GraphReply, why: str) -> bool:
        """Begin again with the next sweep. Where Graph asks to wait, nothing can be judged before."""
        log.warning("list not read", extra={"policy_id": policy_id, "reason": why, "status_code": reply.status_code})
        self.rate_limiter.record_read(reply)
        if hold_seconds(reply) is not None:
            del self.readings[policy_id]
            return False
        return True

    def _judged(self, reading: StatusReading, due: Iterable[StoredOutcome]) -> dict[str, VerificationState | None]:
        """Return a verdict by update, None where it is too early; their rows are read after the list."""
        now, rows = self.clock.now(), dict[str, UserStatusRow | None]()
        found: dict[str, VerificationState | None] = {}
        for stored in due:
            outcome, key = stored.outcome, str(_key(stored.outcome))
            if outcome.id not in reading.updates:
                continue
            state: VerificationState | None = None
            if reading.is_whole:
                if key not in rows:
                    rows[key] = self.user_statuses.read(key, 1).row
                state = verdict(outcome.id, rows[key], reading.shown(key))
            late = outcome.verify_at is not None and outcome.verify_at + PATIENCE <= now
            found[outcome.id] = VerificationState.UNKNOWN if state is None and late else state
        return found

    def _write(self, due: Iterable[StoredOutcome], found: Mapping[str, VerificationState | None]) -> int:
        """Write the verdicts; an outcome that somebody else has changed meanwhile is due again."""
        now = self.clock.now()
        states = {update_id: state for update_id, state in found.items() if state is not None}
        verified = [
            StoredOutcome(
                replace(stored.outcome, verify_at=None, verification=Verification(states[stored.outcome.id], now)),
                stored.etag,
            )
            for stored in due
            if stored.outcome.id in states
        ]
        changed = self.outcomes.replace_all(verified)
        written = [stored.outcome.id for stored in verified if stored.outcome.id not in changed]
        for update_id in written:
            self.counters.verified(states[update_id])
        return len(written)


def _by_policy(due: Iterable[StoredOutcome]) -> dict[str, list[StoredOutcome]]:
    """Return the updates by policy, that of the update which is due the longest first."""
    grouped: defaultdict[str, list[StoredOutcome]] = defaultdict(list)
    for stored in sorted(due, key=lambda stored: str(stored.outcome.verify_at)):
        named = stored.outcome.named
        grouped[str(named and named.device_compliance_policy_id).lower()].append(stored)
    return grouped


def _key(outcome: Outcome) -> str | None:
    """Return the key of the update's user status; None where an erasure has left none."""
    envelope = outcome.envelope
    return envelope.user_status_key if envelope is not None else None
