"""Outcomes in memory."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.core.basics.update_id import accepted_at
from shared.core.delivery.outcome import Outcome
from shared.core.intake.update_schema import NORMAL
from shared.service.ports.storage import (
    Conflict,
    InvalidContinuation,
    OutcomeFilter,
    OutcomePage,
    Purged,
    ScanPage,
    StoredOutcome,
)
from tests.fakes.purging import purged


class MemoryOutcomes:
    """Outcomes by id, newest first."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Outcome, int]] = {}
        self._lock = threading.Lock()

    def get(self, update_id: str) -> StoredOutcome | None:
        found = self.rows.get(update_id)
        return found and StoredOutcome(found[0], str(found[1]))

    def insert(self, outcome: Outcome) -> str | None:
        with self._lock:
            if outcome.id in self.rows:
                return None
            self.rows[outcome.id] = (outcome, 1)
            return "1"

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        return frozenset(outcome.id for outcome in outcomes if self.insert(outcome) is None)

    def replace(self, outcome: Outcome, etag: str) -> None:
        with self._lock:
            found = self.rows.get(outcome.id)
            if found is None or str(found[1]) != etag:
                raise Conflict
            self.rows[outcome.id] = (outcome, found[1] + 1)

    def replace_all(self, replacements: Sequence[StoredOutcome]) -> frozenset[str]:
        changed = []
        for stored in replacements:
            try:
                self.replace(stored.outcome, stored.etag)
            except Conflict:
                changed.append(stored.outcome.id)
        return frozenset(changed)

    def note_moved(self, update_ids: Sequence[str], moment: datetime) -> None:
        with self._lock:
            for update_id in update_ids:
                if update_id in self.rows:
                    outcome, etag = self.rows[update_id]
                    self.rows[update_id] = (replace(outcome, moved=moment), etag + 1)

    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> OutcomePage:
        if continuation is not None and not continuation.startswith("before-"):
            raise InvalidContinuation
        below = continuation.removeprefix("before-") if continuation else "g"
        matching = [
            outcome
            for update_id, (outcome, _) in sorted(self.rows.items(), reverse=True)
            if update_id < below and _matches(outcome, wanted)
        ]
        found = tuple(replace(outcome, attempts=(), result=None, raw_message=None) for outcome in matching[:top])
        return OutcomePage(found, f"before-{found[-1].id}" if len(matching) > top else None)

    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> ScanPage[StoredOutcome]:
        page = self.list(wanted, top, continuation)
        rows = [self.rows[outcome.id] for outcome in page.outcomes]
        return ScanPage(tuple(StoredOutcome(outcome, str(etag)) for outcome, etag in rows), page.continuation)

    def open(self, since: datetime, before: datetime) -> Iterator[Outcome]:
        opened = [outcome for outcome, _ in self.rows.values() if not outcome.state.final]
        within = [outcome for outcome in opened if since <= outcome.created < before]
        yield from sorted(within, key=lambda outcome: outcome.id)

    def marked(self, since: datetime | None, before: datetime) -> Iterator[Outcome]:
        found = [outcome for outcome, _ in list(self.rows.values()) if outcome.notice_due is not None]
        yield from [outcome for outcome in found if since is None or since <= outcome.created < before]

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        final = [update_id for update_id, (outcome, _) in sorted(self.rows.items()) if outcome.state.final]
        old = [update_id for update_id in final if accepted_at(update_id) < before]
        return purged(self.rows, old, limit, continuation)


def _matches(outcome: Outcome, wanted: OutcomeFilter) -> bool:
    named = outcome.named
    policy = ((named and named.device_compliance_policy_id) or "").lower()
    pairs = (
        (wanted.device_compliance_policy_id and wanted.device_compliance_policy_id.lower(), policy),
        (wanted.device_compliance_user_status_id, (named and named.device_compliance_user_status_id) or ""),
        (wanted.source, (named and named.source) or ""),
        (wanted.idempotency_key, (named and named.idempotency_key) or ""),
        (wanted.error_code, (outcome.error or {}).get("code", "")),
        (wanted.priority, outcome.update.priority if outcome.update else NORMAL),
    )
    in_time = (wanted.created_after is None or outcome.created >= wanted.created_after) and (
        wanted.created_before is None or outcome.created < wanted.created_before
    )
    in_state = wanted.states is None or outcome.state in wanted.states
    limit, due_at = wanted.verify_before, outcome.verify_at
    in_time = in_time and (limit is None or (due_at is not None and due_at <= limit))
    return in_time and in_state and all(want is None or want == is_ for want, is_ in pairs)
