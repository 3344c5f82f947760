"""One writer a user status: the lease on its row, and what may be changed under it.

The lease outlives the longest Graph call, and every change compares the row's etag: whoever lost the lease finds out
before it can do harm.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.delivery.user_status import Acceptance, Lease, Snapshot, UserStatusRow, Values, confirm
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import UserStatusStore

#: Beyond one whole Graph call: its slot may be seconds ahead, a token may have to be fetched.
SPARE_SECONDS = 15
#: A call begins only with this much left beyond its own limit.
SAFETY_SECONDS = 5


@dataclass
class Held:
    """A user status that is ours to write, until ``release``."""

    store: UserStatusStore
    clock: Clock
    key: str
    row: UserStatusRow
    etag: str | None
    snapshot: Snapshot
    call: timedelta

    @property
    def accepted(self) -> tuple[Acceptance, ...]:
        """What is to be settled here."""
        return self.snapshot.accepted

    @property
    def lease(self) -> Lease:
        """The lease in force."""
        assert self.row.lease is not None  # noqa: S101 - set by acquire, dropped by release only
        return self.row.lease

    def covers_a_call_at(self, moment: datetime) -> bool:
        """Whether a call that begins then ends, in any case, well before the lease does."""
        return moment + self.call + timedelta(seconds=SAFETY_SECONDS) <= self.lease.until

    def renew(self) -> None:
        """Raises ``Conflict`` when the lease was lost."""
        until = self.clock.now() + self.call + timedelta(seconds=SPARE_SECONDS)
        self._commit(replace(self.row, lease=replace(self.lease, until=until)))

    def confirm(self, values: Values) -> None:
        """Graph has these values now: write it down before anything else."""
        self._commit(confirm(self.row, values))

    def release(self, settled: Iterable[str] = ()) -> None:
        """Let the next one write; these updates are final."""
        gone = [update_id for update_id in settled if update_id in self.snapshot.registered]
        self._commit(replace(self.row, lease=None), settled=gone)

    def _commit(
        self, row: UserStatusRow, *, registered: Iterable[Acceptance] = (), settled: Iterable[str] = ()
    ) -> None:
        self.etag = self.store.commit(self.key, row, self.etag, registered=registered, settled=settled)
        self.row = row


@dataclass(frozen=True)
class Leases:
    """Takes leases for one process; ``call`` is the limit of a whole Graph call."""

    store: UserStatusStore
    clock: Clock
    call: timedelta

    def acquire(
        self, key: str, row: UserStatusRow, snapshot: Snapshot, own: Acceptance, *, to_send: bool = True
    ) -> Held:
        """Lease a row that was read as free; raises ``Conflict`` when it changed since.

        ``to_send``: what may be sent is registered along with the lease, unless it is; else whoever comes after a turn
        that died could not know what Graph may have, and might send something older.
        """
        now = self.clock.now()
        lease = Lease(own.update_id, taken=now, until=now + self.call + timedelta(seconds=SPARE_SECONDS))
        news = [own] if to_send and own.update_id not in snapshot.registered else []
        known = snapshot.registered | {one.update_id for one in news}
        held = Held(self.store, self.clock, key, row, snapshot.etag, replace(snapshot, registered=known), self.call)
        held._commit(replace(row, lease=lease), registered=news)  # noqa: SLF001 - the two are one module's
        return held
