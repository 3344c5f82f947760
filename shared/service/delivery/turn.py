"""One message's turn: all that is known of it while it lasts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.core.delivery.outcome import Members, Outcome, is_stale
from shared.core.delivery.retry import is_success, may_still_land
from shared.core.delivery.user_status import (
    Acceptance,
    UserStatusRow,
    Value,
    Values,
    is_newer,
    lost_values,
    newer_values,
    pending_values,
    update_ids,
)
from shared.core.intake.envelope import Envelope
from shared.core.pause import Pause
from shared.service.delivery.lease import Claim
from shared.service.delivery.pauses import holding, holding_values
from shared.service.delivery.write import Permit
from shared.service.ports.graph import GraphCall
from shared.service.ports.storage import StoredOutcome


@dataclass(frozen=True)
class CarriedCall:
    """A Graph call, and the updates whose values it carried."""

    call: GraphCall
    update_ids: frozenset[str]


@dataclass
class Turn:
    """A message, the user status claimed for it, and what came of both so far.

    ``outcomes`` are those read under the lease; ``known`` is the message's own, until then as read before. ``failed``
    holds the ``error`` of each update that fails here. ``ended`` are updates that ended before; their acceptances were
    left behind. ``route_missing``: Graph has no route for the write, so that it fails without a call.
    ``pauses`` are those that hold updates now, ``held`` the waiting updates that one of them keeps from being sent.
    """

    envelope: Envelope
    known: StoredOutcome | None
    holder: str
    permit: Permit | None = None
    route_missing: bool = False
    claimed: Claim | None = None
    outcomes: dict[str, StoredOutcome | None] = field(default_factory=dict)
    calls: list[CarriedCall] = field(default_factory=list)
    failed: dict[str, Members] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    pauses: tuple[Pause, ...] = ()
    held: dict[str, Pause] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The update whose turn it is."""
        return self.envelope.id

    @property
    def blank_row(self) -> UserStatusRow:
        """The user status's row before its first turn."""
        return UserStatusRow.of(self.envelope)

    @property
    def claim(self) -> Claim:
        """The claimed user status."""
        assert self.claimed is not None  # noqa: S101 - set before anything is decided
        return self.claimed

    @property
    def own(self) -> Acceptance | None:
        """The values that this turn is for; None where the update is final, and only lost values are to be sent."""
        return None if self.final else Acceptance.of(self.envelope)

    @property
    def outcome(self) -> Outcome | None:
        """The update's outcome as last read."""
        return self.known.outcome if self.known else None

    @property
    def final(self) -> bool:
        """Whether the update has ended."""
        return self.outcome is not None and self.outcome.state.final

    @property
    def stale(self) -> bool:
        """Whether a newer message carries this update on."""
        return self.outcome is not None and not self.final and is_stale(self.outcome, self.envelope)

    @property
    def open(self) -> bool:
        """Whether the update's values are still to be settled."""
        own = self.claim.accepted.get(self.id)
        return own is not None and is_newer(self.claim.row, own)

    @property
    def tried_from(self) -> datetime:
        """When the time began in which the update is tried: ``Outcome.tried_from``; for its lost values, its end."""
        if self.outcome is None:
            return self.envelope.accepted
        return self.outcome.last_action if self.final else self.outcome.tried_from

    @property
    def tried(self) -> bool:
        """Whether the update is open and a call was made for it."""
        return self.outcome is not None and self.outcome.attempt_count > 0 and not self.final

    def has_expired(self, now: datetime) -> bool:
        """Return whether the update of this turn is not worth sending any more."""
        return not self.final and self.envelope.update.has_expired(now)

    def expired(self, now: datetime) -> list[str]:
        """Return the waiting updates that are not worth sending any more, as far as their outcomes were read."""
        read = (stored.outcome for stored in self.outcomes.values() if stored is not None)
        expired = {outcome.id for outcome in read if outcome.update is not None and outcome.update.has_expired(now)}
        own = {self.id} if self.has_expired(now) else set[str]()
        return sorted((expired | own) & self.claim.accepted.keys())

    def learn(self, outcomes: Mapping[str, StoredOutcome | None]) -> None:
        """Note outcomes read under the lease."""
        self.outcomes |= outcomes
        self.known = self.outcomes.get(self.id, self.known)

    def values(self) -> Values:
        """Return what is to be sent now."""
        values = pending_values(self.claim.row, self.claim.accepted.values())
        return {name: value for name, value in values.items() if not self._is_held_loss(name, value)}

    def _is_held_loss(self, name: str, value: Value) -> bool:
        """Whether a pause keeps a confirmed value from being sent again; of those, nobody knows the source."""
        if value.update_id in self.claim.accepted:
            return False
        status = str(value.value) if name == "status" else None
        pauses = (pause for pause in self.pauses if pause.scope.source is None)
        return holding_values(pauses, self.claim.row.policy_id, status) is not None

    def found_held(self) -> dict[str, Pause]:
        """Return the waiting updates that a pause holds, with it; what Graph has already is held by none."""
        accepted = self.claim.accepted.items() if self.pauses else ()
        unsent = [update_id for update_id, acceptance in accepted if is_newer(self.claim.row, acceptance)]
        found = {update_id: self._holding(update_id) for update_id in unsent}
        return {update_id: pause for update_id, pause in found.items() if pause is not None}

    def _holding(self, update_id: str) -> Pause | None:
        """Return the pause that holds a waiting update; one whose source is not known yet is left out, to be safe."""
        if update_id == self.id:
            return holding(self.pauses, self.envelope.update)
        stored = self.outcomes.get(update_id)
        if stored is not None and stored.outcome.update is not None:
            return holding(self.pauses, stored.outcome.update)
        status = str(self.claim.accepted[update_id].properties.get("status"))
        return holding_values(self.pauses, self.claim.row.policy_id, status)

    def waiting_ids(self) -> frozenset[str]:
        """Return the waiting updates whose values are to be sent now."""
        return update_ids(self.values()) & self.claim.accepted.keys()

    def newest_alone(self, values: Values) -> Values:
        """Return the part of these values that the newest of their updates brought; all where none is waiting."""
        waiting = [value for value in values.values() if value.update_id in self.claim.accepted]
        newest = max(waiting, key=lambda value: (value.version, value.update_id), default=None)
        if newest is None:
            return values
        return {name: value for name, value in values.items() if value.update_id == newest.update_id}

    def lost(self) -> Values:
        """Return the confirmed values that Graph may have lost, where no newer ones are to be sent."""
        return lost_values(self.claim.row, newer_values(self.claim.row, self.claim.accepted.values()))

    @property
    def has_loss_to_send(self) -> bool:
        """Whether such values are to be sent now: no pause holds them."""
        return not self.lost().keys().isdisjoint(self.values())

    def fail(self, update_ids: Iterable[str], error: Members) -> None:
        """Let those of these updates that wait end with this error: their values are not sent."""
        waiting = [update_id for update_id in update_ids if update_id in self.claim.accepted]
        self.failed |= dict.fromkeys(waiting, error)
        self.claim.drop(waiting)

    def covered(self) -> list[Acceptance]:
        """Return the waiting updates that Graph needs no write of, this turn's own first."""
        accepted = self.claim.accepted.values()
        found = [acceptance for acceptance in accepted if not is_newer(self.claim.row, acceptance)]
        return sorted(found, key=lambda acceptance: acceptance.update_id != self.id)

    def note(self, values: Values, calls: Iterable[GraphCall]) -> None:
        """Note calls that carried these values."""
        made = [CarriedCall(call, update_ids(values)) for call in calls]
        self.calls += made
        self.claim.learn(values, (carried.call.reply for carried in made))

    def calls_of(self, update_id: str) -> tuple[GraphCall, ...]:
        """Return the calls that an update's outcome shows: those that carried its values; all for this turn's own."""
        own = update_id == self.id
        return tuple(carried.call for carried in self.calls if own or update_id in carried.update_ids)

    def result_of(self, update_id: str) -> Members | None:
        """Return what Graph answered to the last successful call for this update."""
        replies = [call.reply for call in self.calls_of(update_id) if is_success(call.reply)]
        return replies[-1].result if replies else None

    @property
    def landing(self) -> bool:
        """Whether a call of this turn may still be applied."""
        return any(may_still_land(carried.call.reply) for carried in self.calls)

    def traces(self, values: Values) -> tuple[str, ...]:
        """Return the trace contexts of the other updates whose values these are."""
        others = [self.outcomes.get(update_id) for update_id in sorted(update_ids(values) - {self.id})]
        return tuple(stored.outcome.traceparent for stored in others if stored and stored.outcome.traceparent)
