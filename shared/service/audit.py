"""Keep a record of each action that a person or a system takes on the relay.

The record is written before the action begins, so an action without a record never happens: where the record cannot be
written, the action is refused. Its result follows when the action has ended. If the process dies in between, or
the result cannot be written, the record stays and says ``started``.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.core.audit import Action, AuditRecord, Result
from shared.core.basics.update_id import new_update_id
from shared.service.ports.audit import AuditFilter, AuditStore
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import ScanPage, Unavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audit:
    """The records of one relay."""

    records: AuditStore
    clock: Clock
    randomness: Randomness

    def of[T](
        self, action: Action, target: str | None, run: Callable[[], T], result: Callable[[T], Result], *, by: str | None
    ) -> T:
        """Run an action between the two writes of its record; ``result`` says what came of what it returned.

        Raise ``Unavailable`` before the action where the record cannot be written, and whatever the action raises.
        """
        record = self.begin(action, target, by=by)
        came_of = Result.FAILED
        try:
            done = run()
            came_of = result(done)
            return done
        finally:
            self.end(record, came_of)

    def begin(self, action: Action, target: str | None, *, by: str | None) -> AuditRecord:
        """Write and return the record of an action that is about to begin. Raise ``Unavailable``."""
        record = AuditRecord(new_update_id(self.clock.now(), self.randomness.bits()), action, by, target)
        self.records.append(record)
        return record

    def end(self, record: AuditRecord, result: Result) -> None:
        """Write what came of it; where that fails, the record goes on saying ``started`` and the log says why."""
        try:
            self.records.conclude(replace(record, result=result))
        except Unavailable as error:
            log.warning("audit result lost", extra={"record_id": record.id, "reason": str(error)})

    def list(self, wanted: AuditFilter, top: int, continuation: str | None = None) -> ScanPage[AuditRecord]:
        """Return a page of records, newest first. Raise ``InvalidContinuation``, ``Unavailable``."""
        return self.records.list(wanted, top, continuation)
