"""Reading outcomes under the lease: those of the updates whose values are about to be sent or settled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from shared.core.basics.update_id import accepted_at
from shared.core.delivery.statistics import hour_of
from shared.service.delivery.turn import Turn
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import OutcomeFilter, OutcomeStore, StoredOutcome

#: More outcomes of one hour than this are read in a list of the user status's outcomes instead of one by one.
MAX_POINT_READS = 20
#: So often the outcomes of just the pending values are read; then all, so that many canceled ones cost no more.
_MAX_ROUNDS = 3
_PAGE = 1000


@dataclass(frozen=True)
class ReadOutcomes:
    """Reads the outcomes of a turn's user status."""

    outcomes: OutcomeStore
    clock: Clock

    def pending(self, turn: Turn) -> None:
        """Read the outcomes of the turn's update and of all whose values are pending; leave out what has ended.

        An acceptance that is older than a day and has no outcome is left out too: its outcome was purged.
        """
        claim, rounds = turn.claim, 0
        unread = {turn.id} - turn.outcomes.keys() or turn.waiting_ids() - turn.outcomes.keys()
        while unread:
            self(turn, unread)
            ended = {update_id for update_id in unread if self._has_ended(turn, update_id)}
            turn.ended |= ended
            claim.drop(ended)
            rounds += 1
            waiting = turn.waiting_ids() if rounds < _MAX_ROUNDS else claim.accepted.keys()
            unread = waiting - turn.outcomes.keys()

    def __call__(self, turn: Turn, update_ids: Iterable[str]) -> None:
        """Read outcomes that the turn does not know yet."""
        unread = sorted(set(update_ids) - turn.outcomes.keys())
        for _, same_hour in groupby(unread, key=lambda update_id: hour_of(accepted_at(update_id))):
            some = list(same_hour)
            if len(some) > MAX_POINT_READS:
                turn.learn(self._listed(turn, some))
            for update_id in some:
                if update_id not in turn.outcomes:
                    turn.claim.keep()
                    turn.learn({update_id: self.outcomes.get(update_id)})

    def _listed(self, turn: Turn, unread: Sequence[str]) -> dict[str, StoredOutcome | None]:
        """Return these outcomes from the list of the user status's; ids of one hour, sorted."""
        wanted = OutcomeFilter(
            device_compliance_user_status_id=turn.claim.row.user_status_id,
            created_after=accepted_at(unread[0]),
            created_before=accepted_at(unread[-1]) + timedelta(milliseconds=1),
        )
        unread_ids, found = frozenset(unread), dict[str, StoredOutcome | None]()
        continuation: str | None = None
        while True:
            turn.claim.keep()
            page = self.outcomes.scan(wanted, _PAGE, continuation)
            found |= {stored.outcome.id: stored for stored in page.found if stored.outcome.id in unread_ids}
            continuation = page.continuation
            if continuation is None:
                return found

    def _has_ended(self, turn: Turn, update_id: str) -> bool:
        stored, acceptance = turn.outcomes[update_id], turn.claim.accepted.get(update_id)
        if stored is not None:
            return stored.outcome.state.final
        return update_id != turn.id and acceptance is not None and acceptance.abandoned_at(self.clock.now())
