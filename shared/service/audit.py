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
class Refused:
    """What a use case returns where it declines an action; ``why`` is a sentence for the caller."""

    why: str


@dataclass(frozen=True)
class Audit:
    """The records of one relay."""

    records: AuditStore
    clock: Clock
    randomness: Randomness

    def of[T](
        self,
        action: Action,
        target: str | None,
        run: Callable[[], T],
        *,
        by: str | None,
        came_of: Callable[[T], Result] | None = None,
    ) -> T:
        """Run an action between the two writes of its record, and return what it returns.

        ``came_of`` says what the record's result is; without it None is ``notFound`` and ``Refused`` is ``refused``.
        Raise ``Unavailable`` before the action where the record cannot be written, and whatever the action raises.
        """
        record, result = self.begin(action, target, by=by), Result.FAILED
        try:
            done = run()
            result = (came_of or _came_of)(done)
            return done
        finally:
            self.end(record, result)

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


def _came_of(done: object) -> Result:
    match done:
        case None:
            return Result.NOT_FOUND
        case Refused():
            return Result.REFUSED
        case _:
            return Result.SUCCEEDED
