"""Redacting outcomes for an erasure: those of a page that are the subject's and final."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.core.basics.update_id import accepted_at
from shared.core.delivery.outcome import Outcome
from shared.core.erasure.erasure import MAX_FOLLOWED, UNSEEN, Classified, Stage, classify
from shared.core.erasure.redaction import redact_outcome
from shared.service.erasure.session import ErasureSession
from shared.service.ports.storage import Conflict, OutcomeFilter, OutcomeStore, StoredOutcome

#: Outcomes read at a time, in a page and by their ids.
PAGE = 500
FOLLOWED_AT_ONCE = 50
_TRIES = 5


@dataclass(frozen=True)
class EraseOutcomes:
    """The part of a slice that works on outcomes."""

    session: ErasureSession
    outcomes: OutcomeStore

    def page(self, wanted: OutcomeFilter) -> None:
        """Redact on the next page of those that were there when the erasure was requested."""
        session = self.session
        page = self.outcomes.scan(wanted, PAGE, session.progress.continuation)
        session.spend()
        there = [entry for entry in page.found if entry.outcome.created <= session.erasure.created]
        classified, replays, left = self._redact(there, max(1, session.calls))
        followed = session.progress.followed
        if left:  # the same page again, in the next slice
            session.go_on(pending=(), followed=tuple(dict.fromkeys((*followed, *replays))))
            return
        news = [update_id for update_id in classified.unripe if update_id not in followed]
        room = max(0, MAX_FOLLOWED - len(followed))
        session.go_on(
            stage=Stage.FOLLOW if page.continuation is None else Stage.BLANK,
            continuation=page.continuation,
            pending=(),
            followed=tuple(dict.fromkeys((*followed, *news[:room], *replays))),
            changed=session.progress.changed or len(news) > room,
            skipped=session.progress.skipped or classified.skipped,
        )

    def follow(self, some: Sequence[str]) -> None:
        """Look again at updates that were not final, and at replays of what was redacted."""
        session = self.session
        stored = {update_id: self.outcomes.get(update_id) for update_id in some}
        session.spend(len(some))
        classified, replays, _ = self._redact([entry for entry in stored.values() if entry is not None], len(some))
        now = session.clock.now()
        unseen = [
            update_id for update_id in some if stored[update_id] is None and accepted_at(update_id) + UNSEEN > now
        ]
        rest = [update_id for update_id in session.progress.followed if update_id not in stored]
        session.go_on(pending=(), followed=tuple(dict.fromkeys((*rest, *unseen, *classified.unripe, *replays))))

    def _redact(self, stored: Iterable[StoredOutcome], most: int) -> tuple[Classified, list[str], bool]:
        """Redact up to ``most`` final ones; return what all mean, replays to follow, whether final ones are left."""
        session, pending = self.session, self.session.progress.pending
        by_id = {entry.outcome.id: entry for entry in stored}
        classified = classify(session.subject, session.progress.keys, (entry.outcome for entry in by_id.values()))
        ripe = classified.ripe[:most]
        news = [outcome.id for outcome in ripe if outcome.id not in pending]
        if news or classified.keys != session.progress.keys:
            # Before a user status is known for good, nothing that leads to it may go.
            session.count(updates=len(news), pending=(*pending, *news), keys=classified.keys)
        before = [by_id[update_id].outcome for update_id in pending if update_id in by_id]
        gone = [self._replace(by_id[outcome.id]) for outcome in ripe]
        return classified, self._later_replays([*before, *gone]), len(ripe) < len(classified.ripe)

    def _later_replays(self, gone: Iterable[Outcome]) -> list[str]:
        """Return the replays made after the request: they hold the same data, and no page shows them."""
        created = self.session.erasure.created
        return [
            outcome.replayed_by
            for outcome in gone
            if outcome.replayed_by and accepted_at(outcome.replayed_by) > created
        ]

    def _replace(self, stored: StoredOutcome) -> Outcome:
        """Redact it; return the outcome as it is then: a replay, another erasure or the purge may have been faster."""
        for _ in range(_TRIES):
            outcome = redact_outcome(stored.outcome, self.session.subject)
            self.session.spend()
            try:
                self.outcomes.replace(outcome, stored.etag)
            except Conflict:
                self.session.spend()
                found = self.outcomes.get(outcome.id)
                if found is None or found.outcome.erased is not None:
                    return found.outcome if found else outcome
                stored = found
                continue
            return outcome
        raise Conflict(stored.outcome.id)
