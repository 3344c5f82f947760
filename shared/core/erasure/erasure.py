"""An erasure: whose data goes, how far it has come, and the resource that callers see.

It works in rounds. A round looks through user statuses and outcomes, redacts what is the subject's, follows what is not
final yet until it is, and redacts the user statuses found. Rounds repeat until one finds nothing left. So a later round
meets what an earlier one missed (a crash, a race, a message still on the queue).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.update_id import accepted_at
from shared.core.delivery.outcome import Outcome
from shared.core.erasure.subject import Subject, key_in

#: User statuses taken on in one go, the rest in later rounds: the row that remembers them is bounded.
MAX_USER_STATUSES = 1000
#: Open updates followed in one go, the rest in later rounds.
MAX_FOLLOWED = 500
#: An update that has an id and no outcome is waited for this long after its acceptance: its message may be on its way.
UNSEEN = timedelta(hours=24)
#: The queue's clock is not ours.
SKEW = timedelta(seconds=10)
#: A message that someone is just consuming has its outcome by then.
IN_HAND = timedelta(seconds=50)


class ErasureState(Enum):
    """How far an erasure has come, as callers read it."""

    NOT_STARTED = "notStarted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Return whether it has ended."""
        return self in (ErasureState.SUCCEEDED, ErasureState.FAILED)


class Stage(Enum):
    """The parts of a round, in order."""

    BEGIN = "begin"
    FIND = "find"
    BLANK = "blank"
    FOLLOW = "follow"
    ROWS = "rows"


@dataclass(frozen=True)
class Progress:
    """Where the next slice goes on.

    ``keys``: the subject's user statuses; ``pending``: updates or keys that are counted and being blanked;
    ``followed``: updates that are not final yet; ``rows``: keys to be blanked in this round; ``changed``: this round
    found something; ``skipped``: there are more user statuses than were taken on; ``calm``: when this round began, the
    queue held nothing of before the request.
    """

    stage: Stage = Stage.BEGIN
    round: int = 1
    continuation: str | None = None
    keys: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    changed: bool = False
    skipped: bool = False
    calm: bool = False


@dataclass(frozen=True)
class Erasure:
    """One request to erase; ``subject`` is None once it is final, so that nothing of the person stays here."""

    id: str
    subject: Subject | None
    state: ErasureState
    last_action: datetime
    progress: Progress = Progress()
    updates_erased: int = 0
    user_statuses_erased: int = 0

    @property
    def created(self) -> datetime:
        """Return when it was requested: what was accepted later is new data, and stays."""
        return accepted_at(self.id)


@dataclass(frozen=True)
class Classified:
    """What some outcomes mean for an erasure: user statuses, outcomes to blank, and updates to wait for."""

    keys: tuple[str, ...]
    skipped: bool
    ripe: tuple[Outcome, ...]
    unripe: tuple[str, ...]


def requested(erasure_id: str, subject: Subject, now: datetime) -> Erasure:
    """Return a new erasure; a user status that the request names need not be found."""
    progress = Progress(keys=(subject.key,) if subject.key is not None else ())
    return Erasure(erasure_id, subject, ErasureState.NOT_STARTED, now, progress)


def ended(erasure: Erasure, state: ErasureState, now: datetime) -> Erasure:
    """Return the final erasure: counts stay, everything about the person goes."""
    return replace(erasure, state=state, subject=None, progress=Progress(), last_action=now)


def going_on(erasure: Erasure, now: datetime, **progress: Any) -> Erasure:
    """Return the erasure further on; ``progress`` are the changed fields of its progress."""
    moved = replace(erasure.progress, **progress)
    return replace(erasure, state=ErasureState.RUNNING, last_action=now, progress=moved)


def counted(erasure: Erasure, now: datetime, *, updates: int = 0, user_statuses: int = 0, **progress: Any) -> Erasure:
    """Return the same with what is about to be redacted counted: first, so that a crash counts nothing twice."""
    done = going_on(erasure, now, **progress)
    changed = bool(updates or user_statuses) or done.progress.keys != erasure.progress.keys
    return replace(
        going_on(done, now, changed=changed or erasure.progress.changed),
        updates_erased=erasure.updates_erased + updates,
        user_statuses_erased=erasure.user_statuses_erased + user_statuses,
    )


def joined(keys: tuple[str, ...], found: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Return the keys with those found, as many as one erasure takes on, and whether some were left out."""
    every = tuple(dict.fromkeys((*keys, *found)))
    return every[:MAX_USER_STATUSES], len(every) > MAX_USER_STATUSES


def classify(subject: Subject, keys: tuple[str, ...], outcomes: Iterable[Outcome]) -> Classified:
    """Return what some outcomes mean for an erasure.

    A user status that was left out is left out with all of its outcomes: they lead to it in a later round.
    """
    known = [(outcome, key_in(outcome), subject.owns(outcome)) for outcome in outcomes if outcome.erased is None]
    keys, skipped = joined(keys, (key for _, key, own in known if own and key is not None))
    hits = [
        outcome
        for outcome, key, own in known
        if key in keys or (own and key is None) or (not own and subject.in_passing(outcome))
    ]
    ripe = tuple(outcome for outcome in hits if outcome.state.final)
    return Classified(keys, skipped, ripe, tuple(outcome.id for outcome in hits if not outcome.state.final))


def next_round(erasure: Erasure, now: datetime) -> Erasure:
    """Return the erasure after a round.

    It has succeeded when the round found nothing left, and no earlier message can still be on the queue.
    """
    done = erasure.progress
    if done.calm and not done.changed and not done.skipped:
        return ended(erasure, ErasureState.SUCCEEDED, now)
    # User statuses that a round without changes went through are done with: there is room for others.
    keys = () if done.skipped and not done.changed else done.keys
    return going_on(
        erasure, now, stage=Stage.FIND, round=done.round + 1, keys=keys, changed=False, skipped=False, calm=True
    )


def has_moved_on(erasure: Erasure, length: int, head: datetime | None, now: datetime) -> bool:
    """Return whether a queue of this length, whose first visible message came then, is past the request.

    Hidden messages are being consumed, or wait with an outcome of their own.
    """
    if head is None:
        return length == 0 or now > erasure.created + IN_HAND
    return head > erasure.created + SKEW


def resource(erasure: Erasure) -> dict[str, Any]:
    """Return the JSON object; it never says whom the erasure is about."""
    return {
        "id": erasure.id,
        "status": erasure.state.value,
        "createdDateTime": format_milliseconds(erasure.created),
        "lastActionDateTime": format_milliseconds(erasure.last_action),
        "updatesErased": erasure.updates_erased,
        "userStatusesErased": erasure.user_statuses_erased,
    }
