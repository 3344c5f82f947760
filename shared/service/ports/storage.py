"""What the use cases need from outside, and how that may fail; adapters and in-memory fakes keep these promises."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.statistics import Minutes
from shared.core.delivery.user_status import Acceptance, Properties, Snapshot, UserStatusRow
from shared.core.erasure.erasure import Erasure
from shared.core.rate_limit import RateLimitState


class Unavailable(Exception):
    """Storage could not be reached, or refused us; ``code`` is why: storage's own code, or a ``NetworkFault``'s."""

    def __init__(self, text: str = "", *, code: str | None = None) -> None:
        super().__init__(text)
        self.code = code


class Denied(Unavailable):
    """Storage answers, but refuses us: a role is missing, or the key is wrong."""


class Conflict(Exception):
    """Someone else changed the row since it was read."""


class InvalidContinuation(Exception):
    """A continuation that no list has given."""


@dataclass(frozen=True)
class StoredOutcome:
    """An outcome as the store holds it; ``etag`` guards the next replacement."""

    outcome: Outcome
    etag: str


@dataclass(frozen=True)
class OutcomeFilter:
    """Which outcomes a list names; ``None`` = any. Times bound the acceptance time: after <= created < before.

    ``verify_before``: only those that were to be verified at that time or earlier.
    """

    states: tuple[State, ...] | None = None
    device_compliance_policy_id: str | None = None
    device_compliance_user_status_id: str | None = None
    source: str | None = None
    idempotency_key: str | None = None
    error_code: str | None = None
    priority: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    verify_before: datetime | None = None


@dataclass(frozen=True)
class OutcomePage:
    """Some outcomes, newest first, without attempts, result and raw message; ``continuation`` leads on."""

    outcomes: tuple[Outcome, ...]
    continuation: str | None


@dataclass(frozen=True)
class KeyReservation:
    """An idempotency key's first update: its id and the fingerprint of its payload."""

    update_id: str
    fingerprint: str


@dataclass(frozen=True)
class QueueHead:
    """How long the queue is, hidden messages included, and when its first visible message was put there."""

    length: int
    inserted: datetime | None


@dataclass(frozen=True)
class CounterRow:
    """One instance's counts of one hour."""

    hour: datetime
    instance: str
    minutes: Minutes


@dataclass(frozen=True)
class ScanPage[T]:
    """Some of what a store holds; ``continuation`` leads on, None at the end."""

    found: tuple[T, ...]
    continuation: str | None


@dataclass(frozen=True)
class Purged:
    """One step of a purge: how many rows it deleted; ``continuation`` leads on, None at the end."""

    count: int
    continuation: str | None = None


@dataclass(frozen=True)
class UserStatusEntry:
    """What one row about a user status holds: its id (None in an acceptance's row) and values."""

    key: str
    user_status_id: str | None
    properties: Properties


@dataclass(frozen=True)
class StoredErasure:
    """An erasure as the store holds it; ``etag`` guards the next replacement."""

    erasure: Erasure
    etag: str


class Purgeable(Protocol):
    """A store from which a timer deletes what is old. Raises ``Unavailable``."""

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete up to ``limit`` rows of before that time; what is not final stays."""


class UpdateQueue(Protocol):
    """The queue of update messages. Raises ``Unavailable``."""

    def put(self, text: str, delay: timedelta = timedelta(0)) -> None: ...
    def head(self) -> QueueHead: ...
    def touch(self) -> None:
        """Write to the queue what nobody reads: whether it can be written."""


class OutcomeStore(Purgeable, Protocol):
    """One outcome an update, newest first. Raises ``Unavailable``."""

    def get(self, update_id: str) -> StoredOutcome | None: ...
    def insert(self, outcome: Outcome) -> str | None:
        """Return the etag; None, and nothing changed, when the update has an outcome already."""

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """Insert many; answers the ids of those that were there already, which are as they were."""

    def replace(self, outcome: Outcome, etag: str) -> None:
        """Raises ``Conflict`` when it is no longer the one that was read."""

    def replace_all(self, replacements: Sequence[StoredOutcome]) -> frozenset[str]:
        """Replace many, each guarded by the etag of its predecessor; answers the ids of those that had changed."""
        ...

    def note_moved(self, update_ids: Sequence[str], moment: datetime) -> None: ...
    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> OutcomePage: ...
    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> ScanPage[StoredOutcome]:
        """The same, whole."""

    def open(self, since: datetime, before: datetime) -> Iterator[Outcome]:
        """Yield those accepted between the two times that are not final; the cost follows what is open."""

    def marked(self, since: datetime | None, before: datetime) -> Iterator[Outcome]:
        """Yield outcomes with ``notice_due``, as lists show them; without ``since`` of all that are kept."""


class UserStatusStore(Protocol):
    """A user status: its row and the acceptances not yet settled. Raises ``Unavailable``."""

    def register(self, key: str, acceptance: Acceptance) -> None:
        """Insert-only; a second registration of the same update changes nothing."""

    def register_all(self, acceptances: Sequence[tuple[str, Acceptance]]) -> None:
        """The same for many, each with its user status's key."""

    def read(self, key: str, limit: int | None = None) -> Snapshot:
        """The row and its acceptances, or up to ``limit`` of them."""
        ...

    def commit(
        self,
        key: str,
        row: UserStatusRow,
        etag: str | None,
        *,
        registered: Iterable[Acceptance] = (),
        settled: Iterable[str] = (),
    ) -> str:
        """Replace (without etag, create) the row, add acceptances, drop those of settled updates: all or nothing.

        Answers the new etag; raises ``Conflict``, also when an acceptance to add is there already.
        """

    def withdraw(self, key: str, update_id: str) -> None:
        """Drop one acceptance; there or not."""

    def scan(self, top: int, continuation: str | None = None) -> ScanPage[UserStatusEntry]:
        """Every row once, acceptances too."""


class RateLimitStore(Protocol):
    """The small row that all instances share. Raises ``Unavailable``."""

    def read(self) -> tuple[RateLimitState, str | None]: ...
    def write(self, state: RateLimitState, etag: str | None) -> datetime | None:
        """Raises ``Conflict``."""


class IdempotencyStore(Purgeable, Protocol):
    """First come, first kept, by scope. Raises ``Unavailable``."""

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        """The reservation that holds: the given one, or the one that was there before. ``reserve_all``: by scope."""

    def reserve_all(self, reservations: Mapping[str, KeyReservation]) -> Mapping[str, KeyReservation]: ...


class CounterStore(Purgeable, Protocol):
    """Counts, a row for each instance and hour. Raises ``Unavailable``."""

    def write(self, hour: datetime, instance: str, minutes: Minutes) -> None:
        """Whatever the row held before."""

    def read(self, since: datetime) -> list[CounterRow]:
        """The rows of that hour and later."""

    def touch(self) -> None:
        """Write what nobody reads: whether tables can be written."""


class ErasureStore(Purgeable, Protocol):
    """Erasures, open and final. Raises ``Unavailable``."""

    def get(self, erasure_id: str) -> StoredErasure | None:
        """None when there is none, or it was purged."""

    def insert(self, erasure: Erasure) -> str:
        """Its etag; raises ``Conflict`` when there is one of that id."""

    def replace(self, erasure: Erasure, etag: str) -> str:
        """The new etag; raises ``Conflict``."""

    def open(self, most: int) -> list[StoredErasure]:
        """Those that are not final, oldest first."""
