"""What is to be sent for one user status: the order of values, per property, as a last-writer-wins map.

The row holds what Graph confirmed; acceptances hold what updates brought and Graph may not have yet. What a turn has to
send is a pure function of both, so any interleaving, repetition or crash ends in the same Graph state.
A value is confirmed only when its version is newer than what stands, so an older one can never overwrite it. Where a
write may have been applied without an answer, the newest value that remains is sent again, whatever its version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from shared.core.basics.update_id import accepted_at
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
#: An acceptance without an outcome is of no update any more after this time: its outcome was purged.
ABANDONED_AFTER = timedelta(days=1)
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

    def abandoned_at(self, now: datetime) -> bool:
        """Return whether its update, if it has no outcome by then, was purged: acceptance takes seconds, not a day."""
        return accepted_at(self.update_id) + ABANDONED_AFTER <= now

    def values(self) -> Values:
        """Return its properties as versioned values."""
        return {name: Value(value, self.version, self.update_id) for name, value in self.properties.items()}


#: No lease lasts longer: one with more time left comes from a clock that was wrong, and does not count.
MAX_LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Lease:
    """Who may write this user status until when; ``holder`` is one turn's own, so that it knows its lease again.

    ``taken`` tells how long the turn has lasted.
    """

    holder: str
    taken: datetime
    until: datetime


@dataclass(frozen=True)
class UserStatusRow:
    """One user status: what Graph confirmed, and who is at work on it.

    ``uncertain`` names the properties of which Graph may hold another value than the confirmed one: a write of them may
    have been applied, although no answer said so.
    """

    policy_id: str
    user_status_id: str
    confirmed: Values = NOTHING
    lease: Lease | None = None
    uncertain: frozenset[str] = frozenset()

    @classmethod
    def of(cls, envelope: Envelope) -> "UserStatusRow":
        """Return the row of this message's user status before its first turn."""
        update = envelope.update
        return cls(update.device_compliance_policy_id, str(update.device_compliance_user_status_id))

    def leased_at(self, now: datetime) -> Lease | None:
        """Return the lease that is in force."""
        return self.lease if self.lease is not None and now < self.lease.until <= now + MAX_LEASE else None


@dataclass(frozen=True)
class Snapshot:
    """A user status as read: its row (None before the first turn), the row's etag, its acceptances.

    ``whole`` is False where there are more acceptances than were read.
    """

    row: UserStatusRow | None = None
    etag: str | None = None
    accepted: tuple[Acceptance, ...] = ()
    whole: bool = True

    @property
    def registered(self) -> frozenset[str]:
        """The updates of these acceptances."""
        return frozenset(acceptance.update_id for acceptance in self.accepted)


def newest(*several: Values) -> Values:
    """Return per property the value with the highest version: associative, commutative, idempotent."""
    merged: dict[str, Value] = {}
    for values in several:
        for name, value in values.items():
            if name not in merged or _rank(merged[name]) < _rank(value):
                merged[name] = value
    return merged


def pending_values(row: UserStatusRow, accepted: Iterable[Acceptance]) -> Values:
    """Return what is to be sent: the newest accepted values that Graph does not have, and those it may have lost."""
    newer = newer_values(row, accepted)
    return lost_values(row, newer) | newer


def newer_values(row: UserStatusRow, accepted: Iterable[Acceptance]) -> dict[str, Value]:
    """Return the newest accepted values that are newer than the confirmed ones."""
    standing = newest(*(acceptance.values() for acceptance in accepted))
    return {name: value for name, value in standing.items() if _is_newer(row, name, value)}


def lost_values(row: UserStatusRow, newer: Values = NOTHING) -> dict[str, Value]:
    """Return the confirmed values that a withdrawn write may have replaced, where no newer ones are to be sent."""
    lost = row.uncertain.difference(newer) & row.confirmed.keys()
    return {name: row.confirmed[name] for name in sorted(lost) if row.confirmed[name].value is not None}


def confirm(row: UserStatusRow, values: Values) -> UserStatusRow:
    """Return the row once Graph has taken these values."""
    return replace(row, confirmed=newest(row.confirmed, values), uncertain=row.uncertain - values.keys())


def is_newer(row: UserStatusRow, acceptance: Acceptance) -> bool:
    """Return whether any of its values is newer than what Graph confirmed."""
    return any(_is_newer(row, name, value) for name, value in acceptance.values().items())


def superseding_update(row: UserStatusRow, acceptance: Acceptance) -> str | None:
    """Return the update whose newer value stands in Graph; None when a value of this settled update does."""
    confirmed = [row.confirmed[name] for name in acceptance.properties if name in row.confirmed]
    if not confirmed or any(value.update_id == acceptance.update_id for value in confirmed):
        return None
    return max(confirmed, key=lambda value: value.version).update_id


def update_ids(values: Values) -> frozenset[str]:
    """Return the updates whose values these are."""
    return frozenset(value.update_id for value in values.values())


def graph_properties(values: Values) -> Properties:
    """Return the values alone, as Graph takes them; what is erased is never sent."""
    return {name: value.value for name, value in values.items() if value.value is not None}


def _rank(value: Value) -> tuple[Version, str]:
    # A replay keeps its original's version: the id decides, so that the order of merging never does.
    return value.version, value.update_id


def _is_newer(row: UserStatusRow, name: str, value: Value) -> bool:
    return name not in row.confirmed or row.confirmed[name].version < value.version


def lease_retry_time(lease: Lease, now: datetime, jitter: float) -> datetime:
    """Return when to ask again for a leased user status: the longer the lease lasts, the later, up to its end."""
    lasted = max(1.0, (now - lease.taken).total_seconds())
    return min(lease.until, now + timedelta(seconds=(0.5 + jitter / 2) * lasted))
