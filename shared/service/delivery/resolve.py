"""From a principal name to the user status that it means, at the update's turn.

The first resolution of an update stands for all its attempts, and on every instance: it is written into the outcome by
compare-and-swap before anything else follows from it. So the values of one update are never registered with two user
statuses, and whatever dies in between, the next turn goes on with the same one. A replay resolves again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from itertools import chain

from shared.core.basics.timestamp import format_milliseconds, parse_milliseconds
from shared.core.delivery.failure import EXPIRED, deadline_exceeded
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import (
    Attempt,
    Members,
    Outcome,
    Transition,
    advance,
    error_object,
    is_stale,
    queued,
    record,
    resolved_to,
)
from shared.core.delivery.retry import (
    DeadlineExceeded,
    DeliveryError,
    GiveUp,
    RetryAt,
    is_refusal,
)
from shared.core.delivery.user_directory import Found, NotListed, NotUnique, next_look
from shared.core.delivery.user_status import Acceptance
from shared.core.intake.envelope import Envelope
from shared.core.intake.update import user_status_key
from shared.service.compare_and_swap import until_no_conflict
from shared.service.delivery.complete import Complete, attempts_from
from shared.service.delivery.decide import NEVER, Decide
from shared.service.delivery.directories import ListUnavailable, UserDirectories
from shared.service.outcomes.repository import OutcomeRepository
from shared.service.ports.graph import IdentityUnavailable
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, StoredOutcome, UserStatusStore
from shared.service.rate_limiter import Deferred, RateLimiter

log = logging.getLogger(__name__)

_UNLIKE_ANY = object()
_NOT_LISTED = "userStatusNotFound"


@dataclass(frozen=True)
class Resolve:
    """Give an update that is named by principal name its user status."""

    directories: UserDirectories
    user_statuses: UserStatusStore
    repository: OutcomeRepository
    complete: Complete
    rate_limiter: RateLimiter
    clock: Clock
    decide: Decide

    def __call__(self, envelope: Envelope, known: StoredOutcome | None) -> Envelope | None:
        """Return the message for the resolved id; None when the turn is over: it waits, is put back, or failed."""
        if envelope.update.device_compliance_user_status_id is not None:
            return envelope
        update = known.outcome.update if known else None
        if update is not None and update.resolved is not None:
            return replace(envelope, update=update)
        tried = known is not None and known.outcome.attempt_count > 0
        if known is not None and tried and self.decide.is_over(known.outcome.tried_from):
            return self._fail(envelope, known, deadline_exceeded(known.outcome.error))
        if envelope.update.has_expired(self.clock.now()):
            return self._fail(envelope, known, EXPIRED)
        return self._find(envelope, known)

    def _find(self, envelope: Envelope, known: StoredOutcome | None) -> Envelope | None:
        update = envelope.update
        try:
            choice = self.directories.find(update.device_compliance_policy_id, str(update.user_principal_name))
        except IdentityUnavailable as error:
            choice = ListUnavailable(GraphReply(status_code=None, identity_fault=str(error)))
            self.rate_limiter.record(envelope.update.device_compliance_policy_id, _key(envelope), choice.reply)
        match choice:
            case Found(user_status_id):
                return self._stand(envelope, known, lambda outcome: resolved_to(outcome, user_status_id))
            case NotListed():
                return self._look_again(envelope, known, choice.message)
            case NotUnique(code, message):
                return self._fail(envelope, known, error_object(code, message))
            case Deferred(when):
                self.complete.requeue(envelope, when)
                return None
            case ListUnavailable():
                return self._unread(envelope, known, choice)

    def _look_again(self, envelope: Envelope, known: StoredOutcome | None, message: str) -> Envelope | None:
        """Wait for the name to appear. The error keeps the time of the first look by any instance."""
        now = self.clock.now()
        first = _first_look(known.outcome.error if known else None) or now
        error = DeliveryError(_NOT_LISTED, message, GraphReply(HTTPStatus.OK, date=format_milliseconds(first)))
        when = next_look(first, now)
        if when is None:
            return self._fail(envelope, known, error.to_json())
        self.complete.retry_later(envelope, known, RetryAt(when, error), ())
        return None

    def _unread(self, envelope: Envelope, known: StoredOutcome | None, unread: ListUnavailable) -> Envelope | None:
        """Wait after a failed read, which is a call of the update that made it and shows among its attempts."""
        calls = () if unread.call is None else (unread.call,)
        tried = bool(calls) or (known is not None and known.outcome.attempt_count > 0)
        tried_from = known.outcome.tried_from if known else envelope.accepted
        deadline = self.decide.deadline(tried_from) if tried else NEVER
        match self.decide(unread.reply, attempt=envelope.attempt, deadline=deadline):
            case RetryAt() as step:
                self.complete.retry_later(envelope, known, step, calls)
            case GiveUp(error) | DeadlineExceeded(error):
                if is_refusal(unread.reply) and unread.reply.status_code == HTTPStatus.NOT_FOUND:
                    error = replace(error, code=_NOT_LISTED)
                return self._fail(envelope, known, error.to_json(), attempts_from(calls))
        return None

    def _fail(
        self, envelope: Envelope, known: StoredOutcome | None, error: Members, attempts: tuple[Attempt, ...] = ()
    ) -> Envelope | None:
        now = self.clock.now()
        return self._stand(
            envelope, known, lambda outcome: advance(record(outcome, attempts), Transition.FAIL, now, error=error)
        )

    def _stand(
        self, envelope: Envelope, known: StoredOutcome | None, change: Callable[[Outcome], Outcome]
    ) -> Envelope | None:
        """Write down what this turn found, unless another turn was faster: then go on with what that one wrote."""
        looks = chain([known], iter(lambda: self.repository.get(envelope.id), _UNLIKE_ANY))

        def stand() -> Envelope | None:
            known = next(looks)
            outcome = known.outcome if known else queued(envelope, self.clock.now())
            if known is not None and is_stale(outcome, envelope):
                return None
            if outcome.update is not None and outcome.update.resolved is not None:
                return replace(envelope, update=outcome.update)
            changed = change(outcome)
            if not self.repository.write(changed, known):
                raise Conflict(envelope.id)
            return self._gone_on(envelope, changed)

        return until_no_conflict(stand)

    def _gone_on(self, envelope: Envelope, outcome: Outcome) -> Envelope | None:
        if outcome.state.final or outcome.update is None:
            code = outcome.error["code"] if outcome.error else None
            log.warning("failed", extra={"update_id": envelope.id, "code": code})
            return None
        named = replace(envelope, update=outcome.update)
        # From here on a turn of that user status may carry its values, as with any accepted update.
        self.user_statuses.register(named.user_status_key, Acceptance.of(named))
        log.info("resolved", extra={"update_id": envelope.id})
        return named


def _first_look(error: Members | None) -> datetime | None:
    """Return when the name was first looked for, from the error that says that it is not listed."""
    match error:
        case {"code": code, "innerError": {"date": str(text)}} if code == _NOT_LISTED:
            return parse_milliseconds(text)
    return None


def _key(envelope: Envelope) -> str:
    update = envelope.update
    return user_status_key(update.device_compliance_policy_id, str(update.user_principal_name))
