"""One writer a user status: the lease on its row, and what may be changed under it.

The lease outlives the longest Graph call, and every change compares the row's etag: a turn that lost the lease finds
out before it can do harm. Before a write goes out, the row names its properties as uncertain: if the turn dies, the
next one knows what Graph may hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import is_success, may_have_landed
from shared.core.delivery.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Values, confirm, pending_values
from shared.service.compare_and_swap import until_no_conflict
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, UserStatusStore

#: Beyond one whole Graph call: its slot may be seconds ahead, a token may have to be fetched.
SPARE_SECONDS = 15
#: A call begins only with this much left beyond its own limit.
SAFETY_SECONDS = 5
#: Acceptances read along with the row, before the lease; a leased user status with thousands is left at once.
FIRST_READ = 99


@dataclass
class Claim:
    """A user status that one turn may write, until ``release``.

    ``row`` is what this turn knows, ``stored`` what storage holds. ``accepted`` are the acceptances that are still to
    be settled, ``registered`` the updates whose acceptances storage holds.
    """

    store: UserStatusStore
    clock: Clock
    call: timedelta
    key: str
    row: UserStatusRow
    stored: UserStatusRow
    etag: str | None
    accepted: dict[str, Acceptance] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)

    def include(self, snapshot: Snapshot, own: Acceptance | None) -> None:
        """Add the acceptances that were read, and the turn's own values."""
        self.registered |= snapshot.registered
        self.accepted |= {acceptance.update_id: acceptance for acceptance in snapshot.accepted}
        if own is not None:
            self.accepted[own.update_id] = own

    def begin(self, lease: Lease, *, to_send: bool) -> None:
        """Take the lease; with ``to_send``, write down at once what a call may leave in Graph."""
        values = pending_values(self.row, self.accepted.values()) if to_send else {}
        row = replace(self.row, lease=lease, uncertain=self.row.uncertain | values.keys())
        self._commit(row, added=self._unregistered() if to_send else ())

    def prepare(self, values: Values, begins: datetime) -> None:
        """Write down what a call that begins then may leave in Graph, under a lease that outlasts it.

        Raise ``Conflict`` when the lease was lost.
        """
        uncertain = self.row.uncertain | values.keys()
        if uncertain <= self.stored.uncertain and self._lasts(begins) and self.registered >= self.accepted.keys():
            return
        self._commit(self._leased(replace(self.row, uncertain=uncertain)), added=self._unregistered())

    def keep(self) -> None:
        """Make the lease last for another call. Raise ``Conflict`` when it was lost."""
        if not self._lasts(self.clock.now()):
            self._commit(self._leased(replace(self.row, uncertain=self.stored.uncertain)))

    def learn(self, values: Values, replies: Iterable[GraphReply]) -> None:
        """Note what these replies to a write of the values say: Graph has them, may have them, or has not."""
        for reply in replies:
            if is_success(reply):
                self.row = confirm(self.row, values)
            elif may_have_landed(reply):
                self.row = replace(self.row, uncertain=self.row.uncertain | values.keys())

    def forget(self, values: Values) -> None:
        """Give up sending these confirmed values again: Graph refuses them."""
        self.row = replace(self.row, uncertain=self.row.uncertain - values.keys())

    def drop(self, update_ids: Iterable[str]) -> None:
        """Leave these acceptances out of what is to be sent."""
        for update_id in update_ids:
            self.accepted.pop(update_id, None)

    def save(self) -> None:
        """Write down what Graph confirmed, and keep the lease."""
        if self.row.confirmed != self.stored.confirmed:
            self._commit(replace(self.row, lease=self.stored.lease))

    def release(self, settled: Iterable[str] = (), *, landing: bool = False) -> None:
        """Let the next turn write and drop these acceptances; with ``landing``, only once that call has landed."""
        row = replace(self.row, lease=self._extended() if landing else None)
        gone = [update_id for update_id in settled if update_id in self.registered]
        if gone or row != self.stored:
            self._commit(row, settled=gone)

    @property
    def landed(self) -> datetime:
        """When a call that has just ended can no longer be applied: then a lease that is left to it ends."""
        return self._extended().until

    @property
    def _lease(self) -> Lease:
        assert self.stored.lease is not None  # noqa: S101 - set with the claim, dropped by release only
        return self.stored.lease

    def _lasts(self, begins: datetime) -> bool:
        """Whether a call that begins then ends, in any case, well before the lease does."""
        return begins + self.call + timedelta(seconds=SAFETY_SECONDS) <= self._lease.until

    def _leased(self, row: UserStatusRow) -> UserStatusRow:
        until = self.clock.now() + self.call + timedelta(seconds=SPARE_SECONDS)
        return replace(row, lease=replace(self._lease, until=max(until, self._lease.until)))

    def _extended(self) -> Lease:
        until = self.clock.now() + timedelta(seconds=SPARE_SECONDS)
        return replace(self._lease, until=max(until, self._lease.until))

    def _unregistered(self) -> list[Acceptance]:
        return [acceptance for update_id, acceptance in self.accepted.items() if update_id not in self.registered]

    def _commit(self, row: UserStatusRow, *, added: Iterable[Acceptance] = (), settled: Iterable[str] = ()) -> None:
        added = list(added)
        try:
            self.etag = self.store.commit(self.key, row, self.etag, registered=added, settled=settled)
        except Conflict:
            found = self.store.read(self.key, 0)
            if found.row != row or found.etag is None:
                raise
            self.etag = found.etag  # written, although the answer was lost
        self.stored = row
        self.registered |= {acceptance.update_id for acceptance in added}


@dataclass(frozen=True)
class Leases:
    """Takes leases for one process; ``call`` is the limit of a whole Graph call."""

    store: UserStatusStore
    clock: Clock
    call: timedelta

    def acquire(self, key: str, blank: UserStatusRow, *, holder: str, own: Acceptance | None = None) -> Claim | Lease:
        """Lease the user status, or return the lease that is in force. Raise ``Conflict`` when others were faster.

        ``blank`` is the row where there is none yet. ``holder`` names one turn, which so recognises a lease that it has
        taken although the answer was lost. ``own`` are the values whose turn it is: they are registered along with the
        lease, else the turn after one that died could not know what Graph may hold.
        """
        return until_no_conflict(lambda: self._acquire(key, blank, holder, own))

    def _acquire(self, key: str, blank: UserStatusRow, holder: str, own: Acceptance | None) -> Claim | Lease:
        snapshot, now = self._read(key), self.clock.now()
        before = snapshot.row or blank
        in_force = before.leased_at(now)
        if in_force is not None:
            return in_force
        known = replace(before, lease=None)
        claim = Claim(self.store, self.clock, self.call, key, row=known, stored=before, etag=snapshot.etag)
        claim.include(snapshot, own)
        lease = Lease(holder, now, now + self.call + timedelta(seconds=SPARE_SECONDS))
        claim.begin(lease, to_send=own is not None and snapshot.whole)
        if not snapshot.whole:
            claim.include(self.store.read(key), own)
        return claim

    def _read(self, key: str) -> Snapshot:
        snapshot = self.store.read(key, FIRST_READ)
        # A page of a table may be empty and still lead on.
        return self.store.read(key) if snapshot.row is None and not snapshot.whole else snapshot
