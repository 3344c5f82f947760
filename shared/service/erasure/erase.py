"""Erasing a person's data (GDPR article 17): asked for at once, done in bounded slices, by whichever instance comes by.

Nothing accepted is lost by it: an update that is not final yet is waited for, and redacted when it is. What was
accepted after the request is new data, and stays.
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

    session: ErasureSession
    outcomes: EraseOutcomes
    user_statuses: EraseUserStatuses
    queues: Queues
    _met: set[str] = field(default_factory=set)

    def work(self) -> None:
        """Work until it is over. Raise ``Conflict`` when another slice has the row, or a turn was faster."""
        session = self.session
        while not session.spent and not session.erasure.state.final:
            if not _STEPS[session.progress.stage](self):
                session.wait()
                return

    def begin(self) -> bool:
        """Begin the first round."""
        self.session.go_on(stage=Stage.FIND, calm=self._queue_has_moved_on())
        return True

    def find(self) -> bool:
        """Find user statuses by name, unless the request names one by its ids."""
        if self.session.subject.name is None:
            self.session.go_on(stage=Stage.BLANK)
        else:
            self.user_statuses.find()
        return True

    def redact(self) -> bool:
        """Redact the final outcomes of a page."""
        self.outcomes.page(OutcomeFilter(created_before=self.session.erasure.created + _MILLISECOND))
        return True

    def follow(self) -> bool:
        """Return False while some update is not final, or the queue may hold a message of before the request."""
        followed = self.session.progress.followed
        some = [update_id for update_id in followed if update_id not in self._met][:FOLLOWED_AT_ONCE]
        if some:
            self._met.update(some)
            self.outcomes.follow(some)
            return True
        if followed or not self._queue_has_moved_on():
            return False
        self.session.go_on(stage=Stage.ROWS, rows=self.session.progress.keys)
        return True

    def rows(self) -> bool:
        """Return False while all user statuses that are left are being written."""
        left = self.session.progress.rows
        if not left:
            self.session.put(next_round(self.session.erasure, self.session.clock.now()))
            return True
        keys = [key for key in left if key not in self._met][:AT_ONCE]
        self._met.update(self.user_statuses.redact(keys) if keys else ())
        return bool(keys)

    def _queue_has_moved_on(self) -> bool:
        self.session.spend()
        head = self.queues.head()
        return has_moved_on(self.session.erasure, head.length, head.inserted, self.session.clock.now())


_STEPS = {
    Stage.BEGIN: Slice.begin,
    Stage.FIND: Slice.find,
    Stage.BLANK: Slice.redact,
    Stage.FOLLOW: Slice.follow,
    Stage.ROWS: Slice.rows,
}


@dataclass(frozen=True)
class Erase:
    """Takes requests, and works on them; one that is not done within ``time_limit`` fails."""

    erasures: ErasureStore
    outcomes: OutcomeStore
    user_statuses: UserStatusStore
    queues: Queues
    clock: Clock
    randomness: Randomness
    time_limit: timedelta

    def request(self, subject: Subject) -> Erasure:
        """Return a new erasure, begun. Raise ``Unavailable`` when nothing was written."""
        now = self.clock.now()
        erasure = requested(new_update_id(now, self.randomness.bits()), subject, now)
        etag = self.erasures.insert(erasure)
        log.info("erasure requested", extra={"erasure_id": erasure.id})
        return self._slice(StoredErasure(erasure, etag), FIRST_CALLS, now + FIRST_TIME)

    def get(self, erasure_id: str) -> Erasure | None:
        """Return the erasure; None where there is none."""
        stored = self.erasures.get(erasure_id)
        return stored.erasure if stored else None

    @redacts_errors
    def __call__(self) -> int:
        """Do a slice of each open erasure, the longest untouched first; return how many became final."""
        calls, finished, until = RUN_CALLS, 0, self.clock.now() + RUN_TIME
        for stored in sorted(self.erasures.open(MAX_OPEN_ERASURES), key=lambda stored: stored.erasure.last_action):
            if calls <= 0 or self.clock.now() >= until:
                break
            finished += self._slice(stored, SLICE_CALLS, until).state.final
            calls -= SLICE_CALLS
        return finished

    def _slice(self, stored: StoredErasure, calls: int, until: datetime) -> Erasure:
        session = ErasureSession(self.erasures, self.clock, stored.erasure, stored.etag, calls, until)
        outcomes = EraseOutcomes(session, self.outcomes)
        user_statuses = EraseUserStatuses(session, self.user_statuses, self.outcomes)
        try:
            if self.clock.now() > stored.erasure.created + self.time_limit:
                session.put(ended(stored.erasure, ErasureState.FAILED, self.clock.now()))
            else:
                Slice(session, outcomes, user_statuses, self.queues).work()
        except Conflict:
            log.info("erasure taken elsewhere", extra={"erasure_id": stored.erasure.id})
        except Unavailable as error:
            log.warning("erasure left for later", extra={"erasure_id": stored.erasure.id, "reason": str(error)})
        except Exception:  # the boundary: one erasure's fault is no matter of the others
            log.exception("erasure slice failed", extra={"erasure_id": stored.erasure.id})
        if session.erasure.state.final:
            log.info("erasure ended", extra=_log_fields(session.erasure))
        return session.erasure


def _log_fields(erasure: Erasure) -> dict[str, object]:
    return {
        "erasure_id": erasure.id,
        "status": erasure.state.value,
        "updates": erasure.updates_erased,
        "user_statuses": erasure.user_statuses_erased,
    }
