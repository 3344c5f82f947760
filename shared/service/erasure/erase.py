"""Erasing a person's data (GDPR article 17): asked for at once, done in bounded slices, by whichever instance comes by.

Nothing accepted is lost by it: an update that is not final yet is waited for, and blanked when it is. What was accepted
after the request is new data, and stays.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.basics.update_id import new_update_id
from shared.core.erasure.erasure import Erasure, ErasureState, Stage, ended, has_moved_on, next_round, requested
from shared.core.erasure.subject import Subject
from shared.service.erasure.outcomes import FOLLOWED_AT_ONCE, EraseOutcomes
from shared.service.erasure.session import ErasureSession
from shared.service.erasure.user_statuses import AT_ONCE, EraseUserStatuses
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import (
    Conflict,
    ErasureStore,
    OutcomeFilter,
    OutcomeStore,
    StoredErasure,
    Unavailable,
    UserStatusStore,
)
from shared.service.queues import Queues
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

#: Storage calls of a slice, give or take those of its last step: what a timer run does for one erasure ...
SLICE_CALLS = 400
#: ... for all of them, and what the request itself does, so that a small table is done within seconds.
RUN_CALLS = 4000
FIRST_CALLS = 60
MAX_OPEN_ERASURES = 1000
#: At most: a run ends before the next begins, and a caller waits a moment only.
RUN_TIME, FIRST_TIME = timedelta(seconds=45), timedelta(seconds=2)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Slice:
    """Some of an erasure's work: from where the last slice stopped until its calls are spent or it has to wait."""

    ledger: ErasureSession
    outcomes: EraseOutcomes
    user_statuses: EraseUserStatuses
    queues: Queues
    _met: set[str] = field(default_factory=set)

    def work(self) -> None:
        """Raises ``Conflict`` when another slice has the row, or a turn was faster."""
        ledger = self.ledger
        while not ledger.spent and not ledger.erasure.state.final:
            if not _STEPS[ledger.progress.stage](self):
                ledger.wait()
                return

    def begin(self) -> bool:
        """The first round."""
        self.ledger.go_on(stage=Stage.FIND, calm=self._queue_has_moved_on())
        return True

    def find(self) -> bool:
        """A user status that the request names need not be found."""
        if self.ledger.subject.name is None:
            self.ledger.go_on(stage=Stage.BLANK)
        else:
            self.user_statuses.find()
        return True

    def blank(self) -> bool:
        """A page of outcomes."""
        self.outcomes.page(OutcomeFilter(created_before=self.ledger.erasure.created + _MILLISECOND))
        return True

    def follow(self) -> bool:
        """False while some update is not final, or the queue still is as it was at the request."""
        followed = self.ledger.progress.followed
        some = [one for one in followed if one not in self._met][:FOLLOWED_AT_ONCE]
        if some:
            self._met.update(some)
            self.outcomes.follow(some)
            return True
        if followed or not self._queue_has_moved_on():
            return False
        self.ledger.go_on(stage=Stage.ROWS, rows=self.ledger.progress.keys)
        return True

    def rows(self) -> bool:
        """False while only user statuses are left that are being written."""
        left = self.ledger.progress.rows
        if not left:
            self.ledger.put(next_round(self.ledger.erasure, self.ledger.clock.now()))
            return True
        keys = [one for one in left if one not in self._met][:AT_ONCE]
        self._met.update(self.user_statuses.blank(keys) if keys else ())
        return bool(keys)

    def _queue_has_moved_on(self) -> bool:
        self.ledger.spend()
        head = self.queues.head()
        return has_moved_on(self.ledger.erasure, head.length, head.inserted, self.ledger.clock.now())


_STEPS = {
    Stage.BEGIN: Slice.begin,
    Stage.FIND: Slice.find,
    Stage.BLANK: Slice.blank,
    Stage.FOLLOW: Slice.follow,
    Stage.ROWS: Slice.rows,
}


@dataclass(frozen=True)
class Erase:
    """Takes requests, and works on them; one that is not done after ``patience`` fails."""

    erasures: ErasureStore
    outcomes: OutcomeStore
    user_statuses: UserStatusStore
    queues: Queues
    clock: Clock
    randomness: Randomness
    patience: timedelta

    def request(self, subject: Subject) -> Erasure:
        """A new erasure, begun. Raises ``Unavailable``: nothing was taken."""
        now = self.clock.now()
        erasure = requested(new_update_id(now, self.randomness.bits()), subject, now)
        etag = self.erasures.insert(erasure)
        log.info("erasure requested", extra={"erasure_id": erasure.id})
        return self._slice(StoredErasure(erasure, etag), FIRST_CALLS, now + FIRST_TIME)

    def get(self, erasure_id: str) -> Erasure | None:
        """How far it has come."""
        stored = self.erasures.get(erasure_id)
        return stored.erasure if stored else None

    @redacts_errors
    def __call__(self) -> int:
        """A slice of each open erasure, those not looked at for longest first; answers how many became final."""
        calls, finished, until = RUN_CALLS, 0, self.clock.now() + RUN_TIME
        for stored in sorted(self.erasures.open(MAX_OPEN_ERASURES), key=lambda one: one.erasure.last_action):
            if calls <= 0 or self.clock.now() >= until:
                break
            finished += self._slice(stored, SLICE_CALLS, until).state.final
            calls -= SLICE_CALLS
        return finished

    def _slice(self, stored: StoredErasure, calls: int, until: datetime) -> Erasure:
        ledger = ErasureSession(self.erasures, self.clock, stored.erasure, stored.etag, calls, until)
        outcomes = EraseOutcomes(ledger, self.outcomes)
        user_statuses = EraseUserStatuses(ledger, self.user_statuses, self.outcomes)
        try:
            if self.clock.now() > stored.erasure.created + self.patience:
                ledger.put(ended(stored.erasure, ErasureState.FAILED, self.clock.now()))
            else:
                Slice(ledger, outcomes, user_statuses, self.queues).work()
        except Conflict:
            log.info("erasure taken elsewhere", extra={"erasure_id": stored.erasure.id})
        except Unavailable as error:
            log.warning("erasure left for later", extra={"erasure_id": stored.erasure.id, "reason": str(error)})
        except Exception:  # the boundary: one erasure's fault is no matter of the others
            log.exception("erasure slice failed", extra={"erasure_id": stored.erasure.id})
        if ledger.erasure.state.final:
            log.info("erasure ended", extra=_told(ledger.erasure))
        return ledger.erasure


def _told(erasure: Erasure) -> dict[str, object]:
    return {
        "erasure_id": erasure.id,
        "status": erasure.state.value,
        "updates": erasure.updates_erased,
        "user_statuses": erasure.user_statuses_erased,
    }
