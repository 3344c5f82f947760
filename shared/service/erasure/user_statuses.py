"""Redacting user statuses for an erasure: finding those that name a person, emptying rows that no turn has leased."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.core.basics.update_id import accepted_at
from shared.core.delivery.user_status import Acceptance, Snapshot
from shared.core.erasure.erasure import UNSEEN, Stage, joined
from shared.core.erasure.redaction import redact_user_status, was_accepted_by
from shared.service.erasure.session import ErasureSession
from shared.service.ports.storage import OutcomeStore, UserStatusStore

#: Rows read at a time.
PAGE = 500
#: User statuses redacted at a time.
AT_ONCE = 20


@dataclass(frozen=True)
class EraseUserStatuses:
    """The part of a slice that works on user statuses."""

    session: ErasureSession
    user_statuses: UserStatusStore
    outcomes: OutcomeStore

    def find(self) -> None:
        """Find on the next page of all those whose values name the person: their outcomes may be purged already."""
        session = self.session
        page = self.user_statuses.scan(PAGE, session.progress.continuation)
        session.spend()
        theirs = [
            entry.key
            for entry in page.found
            if session.subject.owns_values({"id": entry.user_status_id, "values": entry.properties})
        ]
        keys, skipped = joined(session.progress.keys, theirs)
        session.go_on(
            stage=Stage.BLANK if page.continuation is None else Stage.FIND,
            continuation=page.continuation,
            keys=keys,
            skipped=session.progress.skipped or skipped,
        )

    def redact(self, keys: Sequence[str]) -> list[str]:
        """Redact these rows; return the keys of those that are leased: they are left for later."""
        session, now = self.session, self.session.clock.now()
        snapshots = {key: self.user_statuses.read(key) for key in keys}
        session.spend(len(keys))
        busy = [key for key, snapshot in snapshots.items() if snapshot.row is not None and snapshot.row.leased_at(now)]
        free = {key: snapshot for key, snapshot in snapshots.items() if key not in busy}
        settled = {key: list(self._settled(snapshot)) for key, snapshot in free.items()}
        self._redact(free, settled)
        # Acceptance or a turn is slower than we are: their updates are followed first.
        open_ = [
            accepted.update_id
            for key, snapshot in free.items()
            for accepted in self._theirs(snapshot)
            if accepted.update_id not in settled[key]
        ]
        session.go_on(
            stage=Stage.FOLLOW if open_ else Stage.ROWS,
            pending=(),
            rows=tuple(key for key in session.progress.rows if key not in free),
            followed=tuple(dict.fromkeys((*session.progress.followed, *open_))),
        )
        return busy

    def _redact(self, free: Mapping[str, Snapshot], settled: Mapping[str, list[str]]) -> None:
        session, pending = self.session, self.session.progress.pending
        filled = [key for key, snapshot in free.items() if settled[key] or self._has_values(snapshot)]
        news = [key for key in filled if key not in pending]
        if news:
            session.count(user_statuses=len(news), pending=(*pending, *news))
        for key in filled:
            self._replace(key, free[key], settled[key])

    def _replace(self, key: str, snapshot: Snapshot, settled: list[str]) -> None:
        """Replace a row without a lease by its etag: never in the middle of a turn. Raise ``Conflict``."""
        self.session.spend()
        if snapshot.row is not None:
            row = redact_user_status(snapshot.row, self.session.erasure.created)
            self.user_statuses.commit(key, row, snapshot.etag, settled=settled)
            return
        for update_id in settled:
            self.user_statuses.withdraw(key, update_id)

    def _has_values(self, snapshot: Snapshot) -> bool:
        return (
            snapshot.row is not None and redact_user_status(snapshot.row, self.session.erasure.created) != snapshot.row
        )

    def _theirs(self, snapshot: Snapshot) -> Iterator[Acceptance]:
        return (
            acceptance
            for acceptance in snapshot.accepted
            if was_accepted_by(acceptance.version, self.session.erasure.created)
        )

    def _settled(self, snapshot: Snapshot) -> Iterator[str]:
        """Yield the updates of acceptances that are over: they are final, or have had no outcome for 24 h."""
        now = self.session.clock.now()
        for acceptance in self._theirs(snapshot):
            known = self.outcomes.get(acceptance.update_id)
            self.session.spend()
            if known.outcome.state.final if known else accepted_at(acceptance.update_id) + UNSEEN <= now:
                yield acceptance.update_id
