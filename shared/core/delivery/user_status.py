"""What one user status is owed: the order of values, per property, as a last-writer-wins map.

The row holds what Graph confirmed; acceptances hold what updates brought and Graph may not have yet. What a turn has to
send is a pure function of both, so any interleaving, repetition or crash ends in the same Graph state.
A value is confirmed only when its version is newer than what stands, so an older one can never overwrite it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from shared.core.basics.version import Version
from shared.core.intake.envelope import Envelope

type Properties = Mapping[str, str | int]


@dataclass(frozen=True)
class Value:
    """One property's value (None once erased), its version and the update that brought it."""

    value: str | int | None
    version: Version
    update_id: str


type Values = Mapping[str, Value]
NOTHING: Values = MappingProxyType({})


@dataclass(frozen=True)
class Acceptance:
    """What one update brought and is not settled yet."""

    update_id: str
    version: Version
    properties: Properties

    @classmethod
    def of(cls, envelope: Envelope) -> "Acceptance":
        """Return what this message's update brings: its properties with their version."""
        return cls(envelope.id, envelope.ordering, envelope.update.properties())

    def values(self) -> Values:
        """Its properties as versioned values."""
        return {name: Value(value, self.version, self.update_id) for name, value in self.properties.items()}


@dataclass(frozen=True)
class Lease:
    """Who may write this user status until when. ``taken`` tells how long the turn has lasted."""

    holder: str
    taken: datetime
    until: datetime


@dataclass(frozen=True)
class UserStatusRow:
    """One user status: what Graph confirmed, and who is at work on it."""

    policy_id: str
    user_status_id: str
    confirmed: Values = NOTHING
    lease: Lease | None = None

    @classmethod
    def of(cls, envelope: Envelope) -> "UserStatusRow":
        """Return the row of this message's user status before its first turn."""
        update = envelope.update
        return cls(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))

    def leased_at(self, now: datetime) -> Lease | None:
        """The lease that is in force."""
        return self.lease if self.lease is not None and self.lease.until > now else None


@dataclass(frozen=True)
class Snapshot:
    """A user status as read: its row (None before the first turn), the row's etag, its acceptances.

    ``registered`` names the acceptances that storage holds, whatever a turn adds to or takes from ``accepted``.
    """

    row: UserStatusRow | None = None
    etag: str | None = None
    accepted: tuple[Acceptance, ...] = ()
    registered: frozenset[str] = frozenset()


def newest(*several: Values) -> Values:
    """Per property the value with the highest version: associative, commutative, idempotent."""
    merged: dict[str, Value] = {}
    for values in several:
        for name, value in values.items():
            if name not in merged or _rank(merged[name]) < _rank(value):
                merged[name] = value
    return merged


def pending_values(row: UserStatusRow, accepted: Iterable[Acceptance]) -> Values:
    """The newest accepted values that Graph does not have yet."""
    standing = newest(*(acceptance.values() for acceptance in accepted))
    return {name: value for name, value in standing.items() if _is_news(row, name, value)}


def confirm(row: UserStatusRow, values: Values) -> UserStatusRow:
    """The row once Graph has taken these values."""
    return replace(row, confirmed=newest(row.confirmed, values))


def is_newer(row: UserStatusRow, acceptance: Acceptance) -> bool:
    """Whether any of its values is newer than what Graph has."""
    return bool(pending_values(row, (acceptance,)))


def superseding_update(row: UserStatusRow, acceptance: Acceptance) -> str | None:
    """None when a value of this settled update stands in Graph, else the update whose newer value does."""
    confirmed = [row.confirmed[name] for name in acceptance.properties if name in row.confirmed]
    if not confirmed or any(value.update_id == acceptance.update_id for value in confirmed):
        return None
    return max(confirmed, key=lambda value: value.version).update_id


def update_ids(values: Values) -> frozenset[str]:
    """The updates whose values these are."""
    return frozenset(value.update_id for value in values.values())


def graph_properties(values: Values) -> Properties:
    """The values alone, as Graph takes them; what is erased is never sent."""
    return {name: value.value for name, value in values.items() if value.value is not None}


def _rank(value: Value) -> tuple[Version, str]:
    # A replay keeps its original's version: the id decides, so that the order of merging never does.
    return value.version, value.update_id


def _is_news(row: UserStatusRow, name: str, value: Value) -> bool:
    return name not in row.confirmed or row.confirmed[name].version < value.version


def lease_retry_time(lease: Lease, now: datetime, jitter: float) -> datetime:
    """When to ask again for a user status that another turn holds: the longer that lasts, the later, up to its end."""
    lasted = max(0.0, (now - lease.taken).total_seconds())
    return min(lease.until, now + timedelta(seconds=(0.5 + jitter / 2) * max(1.0, lasted)))
