"""What the use cases need from outside, and how that may fail; adapters and in-memory twins keep these promises."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.activity import Minutes
from shared.core.outcome import Outcome, State
from shared.core.pacing import Pacing
from shared.core.reply import Reply
from shared.core.user_status import Acceptance, Snapshot, UserStatusRow
from shared.service.scan import Holding, Scan


class Unavailable(Exception):
    """Storage could not be reached, or refused us."""


class Denied(Unavailable):
    """Storage answers, but refuses us: a role is missing, or the key is wrong."""


class Conflict(Exception):
    """Someone else changed the row since it was read."""


class InvalidContinuation(Exception):
    """A continuation that no list has given."""


class IdentityUnavailable(Exception):
    """No token could be had; the text says why and holds no secret."""


@dataclass(frozen=True)
class Stored:
    """An outcome as the store holds it; ``etag`` guards the next replacement."""

    outcome: Outcome
    etag: str


@dataclass(frozen=True)
class OutcomeFilter:
    """Which outcomes a list names; ``None`` = any. Times bound the acceptance time: after <= created < before."""

    states: tuple[State, ...] | None = None
    device_compliance_policy_id: str | None = None
    device_compliance_user_status_id: str | None = None
    source: str | None = None
    idempotency_key: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Some outcomes, newest first, without attempts, result and raw message; ``continuation`` leads on."""

    outcomes: tuple[Outcome, ...]
    continuation: str | None


@dataclass(frozen=True)
class Reservation:
    """An idempotency key's first update: its id and the fingerprint of its payload."""

    update_id: str
    fingerprint: str


@dataclass(frozen=True)
class QueueHead:
    """How long the queue is, hidden messages included, and when its first visible message was put there."""

    length: int
    inserted: datetime | None


@dataclass(frozen=True)
class ActivityRow:
    """One instance's counts of one hour."""

    hour: datetime
    instance: str
    minutes: Minutes


@dataclass(frozen=True)
class Answer:
    """One Graph call: when it began, how long it took, what came of it."""

    reply: Reply
    started: datetime
    duration_milliseconds: int


class UpdateQueue(Protocol):
    """The queue of update messages. Raises ``Unavailable``."""

    def put(self, text: str, delay: timedelta = timedelta(0)) -> None: ...
    def head(self) -> QueueHead: ...
    def touch(self) -> None:
        """Write to the queue what nobody reads: whether it can be written."""
        ...


class OutcomeStore(Protocol):
    """One outcome an update, newest first. Raises ``Unavailable``."""

    def get(self, update_id: str) -> Stored | None: ...
    def insert(self, outcome: Outcome) -> bool:
        """False, and nothing changed, when the update has an outcome already."""
        ...

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """Insert many; answers the ids of those that were there already, which are as they were."""
        ...

    def replace(self, outcome: Outcome, etag: str) -> None:
        """Raises ``Conflict`` when it is no longer the one that was read."""
        ...

    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> Page: ...
    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> Scan[Stored]:
        """The same, whole."""
        ...

    def purge(self, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` final outcomes accepted before that time; answers how many."""
        ...


class UserStatusStore(Protocol):
    """A user status: its row and the acceptances not yet settled. Raises ``Unavailable``."""

    def register(self, key: str, acceptance: Acceptance) -> None:
        """Insert-only; a second registration of the same update changes nothing."""
        ...

    def register_all(self, acceptances: Sequence[tuple[str, Acceptance]]) -> None:
        """The same for many, each with its user status's key."""
        ...

    def read(self, key: str) -> Snapshot: ...
    def commit(
        self, key: str, row: UserStatusRow, etag: str | None, *,
        registered: Iterable[Acceptance] = (), settled: Iterable[str] = (),
    ) -> str:  # fmt: skip
        """Replace (without etag, create) the row, add acceptances, drop those of settled updates: all or nothing.

        Answers the new etag; raises ``Conflict``, also when an acceptance to add is there already.
        """
        ...

    def withdraw(self, key: str, update_id: str) -> None:
        """Drop one acceptance; there or not."""
        ...

    def scan(self, top: int, continuation: str | None = None) -> Scan[Holding]:
        """Every row once, acceptances too."""
        ...


class PacingStore(Protocol):
    """The small row that all instances share. Raises ``Unavailable``."""

    def read(self) -> tuple[Pacing, str | None]: ...
    def write(self, pacing: Pacing, etag: str | None) -> None:
        """Raises ``Conflict``."""
        ...


class IdempotencyStore(Protocol):
    """First come, first kept, by scope. Raises ``Unavailable``."""

    def reserve(self, scope: str, reservation: Reservation) -> Reservation:
        """The reservation that holds: the given one, or the one that was there before."""
        ...

    def purge(self, before: datetime, limit: int) -> int: ...


class ActivityStore(Protocol):
    """Counts, a row for each instance and hour. Raises ``Unavailable``."""

    def write(self, hour: datetime, instance: str, minutes: Minutes) -> None:
        """Whatever the row held before."""
        ...

    def read(self, since: datetime) -> list[ActivityRow]:
        """The rows of that hour and later."""
        ...

    def touch(self) -> None:
        """Write what nobody reads: whether tables can be written."""
        ...

    def purge(self, before: datetime, limit: int) -> int: ...


class Graph(Protocol):
    """Microsoft Graph; every failure is a value in the answer's reply."""

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, str | int], *, token: str
    ) -> Answer: ...
    def read_policies(self, *, token: str) -> Answer:
        """One cheap read: whether Graph answers, and takes this app's word."""
        ...

    def list_user_statuses(self, policy_id: str, link: str | None = None, *, token: str) -> Answer:
        """A page of a policy's user statuses, ids and principal names only; ``link`` is the page before's own."""
        ...

    def read_user_status(self, policy_id: str, user_status_id: str, *, token: str) -> Answer:
        """One user status as Graph has it."""
        ...


class Identity(Protocol):
    """The app's managed identity. Raises ``IdentityUnavailable``."""

    def token(self) -> str: ...
    def fresh_token(self, rejected: str) -> str: ...


class Clock(Protocol):
    """Time, and waiting for it."""

    def now(self) -> datetime: ...
    def pause(self, seconds: float) -> None: ...


class Chance(Protocol):
    """Randomness: ids and jitter."""

    def bits(self) -> int: ...
    def jitter(self) -> float: ...
