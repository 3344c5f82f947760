"""An update's life: its states, the one table of transitions between them, and what is known of it.

Rule: a final state has no transitions. Everything that changes an outcome goes through ``advance``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.core.basics.strict_json import Fault
from shared.core.basics.update_id import accepted_at
from shared.core.basics.version import Version
from shared.core.delivery.verification import Verification
from shared.core.intake.envelope import Envelope, Unreadable
from shared.core.intake.update import Update

#: The last Graph calls that an outcome shows.
MAX_ATTEMPTS_KEPT = 20

type Members = Mapping[str, Any]


class State(Enum):
    """The wire's (status, statusDetail)."""

    QUEUED = ("notStarted", "queued")
    HELD = ("notStarted", "held")
    WAITING = ("running", "waiting")
    DELIVERED = ("succeeded", "delivered")
    SUPERSEDED = ("succeeded", "superseded")
    FAILED = ("failed", None)
    CANCELED = ("canceled", None)

    @property
    def status(self) -> str:
        """One of ``notStarted``, ``running``, ``succeeded``, ``failed``, ``canceled``."""
        return str(self.value[0])

    @property
    def detail(self) -> str | None:
        """The ``statusDetail`` of the resource."""
        detail: str | None = self.value[1]
        return detail

    @property
    def final(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self]


class Transition(Enum):
    """What can happen to an update."""

    WAIT = "wait"
    HOLD = "hold"
    RESUME = "resume"
    DELIVER = "deliver"
    SUPERSEDE = "supersede"
    FAIL = "fail"
    CANCEL = "cancel"


_OPEN = {
    Transition.WAIT: State.WAITING,
    Transition.HOLD: State.HELD,
    Transition.DELIVER: State.DELIVERED,
    Transition.SUPERSEDE: State.SUPERSEDED,
    Transition.FAIL: State.FAILED,
    Transition.CANCEL: State.CANCELED,
}
TRANSITIONS: Mapping[State, Mapping[Transition, State]] = {
    State.QUEUED: _OPEN,
    State.WAITING: _OPEN,
    State.HELD: {**_OPEN, Transition.RESUME: State.QUEUED},
    **{ended: {} for ended in (State.DELIVERED, State.SUPERSEDED, State.FAILED, State.CANCELED)},
}


class IllegalMoveError(Exception):
    """A final outcome was asked to change: a bug."""


@dataclass(frozen=True)
class Attempt:
    """One Graph call."""

    started: datetime
    duration_milliseconds: int
    status_code: int | None
    code: str | None
    request_id: str | None
    client_request_id: str | None
    retry_after_seconds: float | None


@dataclass(frozen=True)
class Tombstone:
    """What an erasure leaves of an update's message: which user status it was for and who sent it, by Update's names.

    All None where the message could not be read.
    """

    device_compliance_policy_id: str | None = None
    device_compliance_user_status_id: str | None = None
    source: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one update; ``attempt`` is the number of its newest queue message, from 1.

    Once ``erased`` it has no ``update``, so nothing can ever send or replay it. ``put_back`` is when reconciliation
    last gave it another message, ``moved`` when its bundle was taken or put. ``held_by`` is the pause that keeps it out
    of the queue, ``held_seconds`` how long pauses held it before. ``notice_due``: it ended then, and its notice may not
    be in the outbox yet. ``verify_at``: Graph's list is to be read back. ``unknown`` is what a newer version wrote.
    """

    id: str
    state: State
    last_action: datetime
    update: Update | None = None
    attempt: int = 1
    submitted_by: str | None = None
    next_attempt: datetime | None = None
    attempt_count: int = 0
    attempts: tuple[Attempt, ...] = ()
    result: Members | None = None
    error: Members | None = None
    superseded_by: str | None = None
    replay_of: str | None = None
    replayed_by: str | None = None
    version: Version | None = None
    poisoned: int = 0
    raw_message: str | None = None
    raw_message_encoding: str | None = None
    traceparent: str | None = None
    erased: Tombstone | None = None
    put_back: datetime | None = None
    moved: datetime | None = None
    held_by: str | None = None
    held_seconds: float = 0.0
    notice_due: datetime | None = None
    verify_at: datetime | None = None
    verification: Verification | None = None
    unknown: Members = field(default_factory=dict)

    @property
    def named(self) -> Update | Tombstone | None:
        """What names the update's user status: the message, or what an erasure left of it."""
        return self.update or self.erased

    @property
    def created(self) -> datetime:
        """The acceptance time, which the id carries."""
        return accepted_at(self.id)

    @property
    def tried_from(self) -> datetime:
        """When the time began in which it is tried: its acceptance, later by the time for which it was held."""
        return self.created + timedelta(seconds=self.held_seconds)

    @property
    def envelope(self) -> Envelope | None:
        """The queue message that would carry this update on."""
        if self.update is None:
            return None
        return Envelope(
            id=self.id,
            attempt=self.attempt,
            update=self.update,
            submitted_by=self.submitted_by,
            replay_of=self.replay_of,
            version=self.version,
            poisoned=self.poisoned,
            traceparent=self.traceparent,
        )


def queued(envelope: Envelope, now: datetime) -> Outcome:
    """Return the outcome of an update that was just accepted."""
    return Outcome(
        id=envelope.id,
        state=State.QUEUED,
        last_action=now,
        update=envelope.update,
        attempt=envelope.attempt,
        submitted_by=envelope.submitted_by,
        replay_of=envelope.replay_of,
        version=envelope.version,
        poisoned=envelope.poisoned,
        traceparent=envelope.traceparent,
    )


def unreadable(message: Unreadable, now: datetime) -> Outcome:
    """Return the outcome of a message that cannot be read: it keeps the raw text and names the faults."""
    error = error_object("invalidMessage", "The message is not a valid update message.", message.faults)
    return Outcome(
        id=message.id,
        state=State.FAILED,
        last_action=now,
        error=error,
        raw_message=message.raw_message,
        raw_message_encoding=message.raw_message_encoding,
    )


def error_object(code: str, message: str, faults: tuple[Fault, ...] = ()) -> Members:
    """Return the resource's ``error`` object for a fault that is not Graph's."""
    error: dict[str, Any] = {"code": code, "message": message}
    if faults:
        error["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return error


def advance(outcome: Outcome, transition: Transition, now: datetime, **known: Any) -> Outcome:
    """Return the outcome after a transition, with the fields ``known``. Raise IllegalMoveError where it is final."""
    state = TRANSITIONS[outcome.state].get(transition)
    if state is None:
        raise IllegalMoveError(f"{outcome.id}: {transition.value} after {outcome.state.name}")
    fresh: dict[str, Any] = {"next_attempt": None, "error": None} | known
    if outcome.state is State.HELD:
        held = max(0.0, (now - outcome.last_action).total_seconds())
        fresh = {"held_by": None, "held_seconds": outcome.held_seconds + held} | fresh
    return replace(outcome, state=state, last_action=now, **fresh)


def record(outcome: Outcome, attempts: tuple[Attempt, ...]) -> Outcome:
    """Return the outcome with these Graph calls added: the newest are kept, all are counted."""
    kept = (outcome.attempts + attempts)[-MAX_ATTEMPTS_KEPT:]
    return replace(outcome, attempts=kept, attempt_count=outcome.attempt_count + len(attempts))


def resolved_to(outcome: Outcome, user_status_id: str) -> Outcome:
    """Return the outcome of an update whose principal name means this user status from now on."""
    return replace(outcome, update=outcome.update and replace(outcome.update, resolved=user_status_id))


def is_stale(outcome: Outcome, envelope: Envelope) -> bool:
    """Return whether this message has nothing left to do: the update is final, or a newer message carries it."""
    return outcome.state.final or envelope.attempt < outcome.attempt


def may_have_left_values(outcome: Outcome) -> bool:
    """Return whether Graph may hold values of this update although it ended without success, attempts shown or not."""
    addressed = outcome.update is not None and outcome.update.device_compliance_user_status_id is not None
    return addressed and outcome.state in (State.FAILED, State.CANCELED)
