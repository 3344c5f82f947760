"""Blanking outcomes for an erasure: those of a page that are the subject's and final."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.core.basics.update_id import accepted_at
from shared.core.delivery.outcome import Outcome
from shared.core.erasure.erasure import MAX_FOLLOWED, UNSEEN, Classified, Stage, classify
from shared.core.erasure.redaction import redact_outcome
from shared.service.erasure.session import ErasureSession
from shared.service.ports.storage import Conflict, OutcomeFilter, OutcomeStore, StoredOutcome

#: Outcomes read at a time, in a page and one by one.
PAGE = 500
FOLLOWED_AT_ONCE = 50
_TRIES = 5


@dataclass(frozen=True)
class EraseOutcomes:
    """The part of a slice that works on outcomes."""

    ledger: ErasureSession
    outcomes: OutcomeStore

    def page(self, wanted: OutcomeFilter) -> None:
        """The next page of those that were there when the erasure was asked for."""
        ledger = self.ledger
        page = self.outcomes.scan(wanted, PAGE, ledger.progress.continuation)
        ledger.spend()
        there = [one for one in page.found if one.outcome.created <= ledger.erasure.created]
        sifted, replays, left = self._blank(there, max(1, ledger.calls))
        followed = ledger.progress.followed
        if left:  # the same page again, in the next slice
            ledger.go_on(pending=(), followed=tuple(dict.fromkeys((*followed, *replays))))
            return
        news = [one for one in sifted.unripe if one not in followed]
        room = max(0, MAX_FOLLOWED - len(followed))
        ledger.go_on(
            stage=Stage.FOLLOW if page.continuation is None else Stage.BLANK,
            continuation=page.continuation,
            pending=(),
            followed=tuple(dict.fromkeys((*followed, *news[:room], *replays))),
            changed=ledger.progress.changed or len(news) > room,
            skipped=ledger.progress.skipped or sifted.skipped,
        )

    def follow(self, some: Sequence[str]) -> None:
        """Look again at updates that were not final, and at replays of what was blanked."""
        ledger = self.ledger
        stored = {update_id: self.outcomes.get(update_id) for update_id in some}
        ledger.spend(len(some))
        sifted, replays, _ = self._blank([one for one in stored.values() if one is not None], len(some))
        now = ledger.clock.now()
        unseen = [one for one in some if stored[one] is None and accepted_at(one) + UNSEEN > now]
        rest = [one for one in ledger.progress.followed if one not in stored]
        ledger.go_on(pending=(), followed=tuple(dict.fromkeys((*rest, *unseen, *sifted.unripe, *replays))))

    def _blank(self, stored: Iterable[StoredOutcome], most: int) -> tuple[Classified, list[str], bool]:
        """Blank up to so many ripe ones; what they all mean, replays to be followed, and whether ripe ones are left."""
        ledger, pending = self.ledger, self.ledger.progress.pending
        by_id = {one.outcome.id: one for one in stored}
        sifted = classify(ledger.subject, ledger.progress.keys, (one.outcome for one in by_id.values()))
        ripe = sifted.ripe[:most]
        news = [outcome.id for outcome in ripe if outcome.id not in pending]
        if news or sifted.keys != ledger.progress.keys:
            # Before a user status is known for good, nothing that leads to it may go.
            ledger.count(updates=len(news), pending=(*pending, *news), keys=sifted.keys)
        before = [by_id[one].outcome for one in pending if one in by_id]
        gone = [self._one(by_id[outcome.id]) for outcome in ripe]
        return sifted, self._later_replays([*before, *gone]), len(ripe) < len(sifted.ripe)

    def _later_replays(self, gone: Iterable[Outcome]) -> list[str]:
        """The same data under an id of after the request, which no page shows."""
        created = self.ledger.erasure.created
        return [one.replayed_by for one in gone if one.replayed_by and accepted_at(one.replayed_by) > created]

    def _one(self, stored: StoredOutcome) -> Outcome:
        """The outcome as it is then: a replay, another erasure or retention may have been faster."""
        for _ in range(_TRIES):
            outcome = redact_outcome(stored.outcome, self.ledger.subject)
            self.ledger.spend()
            try:
                self.outcomes.replace(outcome, stored.etag)
            except Conflict:
                self.ledger.spend()
                found = self.outcomes.get(outcome.id)
                if found is None or found.outcome.erased is not None:
                    return found.outcome if found else outcome
                stored = found
                continue
            return outcome
        raise Conflict(stored.outcome.id)
