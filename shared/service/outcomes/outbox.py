"""The outbox of notices: a final outcome and its message in another queue cannot be written in one transaction.

So the outcome's row says that a notice is due, the message is put, then the mark is cleared. Whatever dies in between,
the mark stays, and a timer puts the message again: a notice goes out at least once.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from shared.core.delivery.notice import Notice
from shared.core.delivery.notice_destination import destination_of
from shared.core.delivery.outcome import Outcome
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import Conflict, OutcomeStore, Unavailable, UpdateQueue

log = logging.getLogger(__name__)

#: A turn that ends more updates than this leaves the others to the timer, so that it does not take long.
MAX_AT_ONCE = 16
#: What one run of the timer puts: what is left is the next run's.
MAX_SWEPT = 1000
#: Whoever set the mark puts the message and clears the mark within this time.
_YOUNG = timedelta(minutes=1)


@dataclass(frozen=True)
class Outbox:
    """Marks outcomes, puts their messages and clears the marks; ``destinations`` are those of ``NOTICES`` by source.

    ``reach`` is how long ago an update may have been accepted that a frequent run of the timer still finds.
    """

    queue: UpdateQueue
    outcomes: OutcomeStore
    clock: Clock
    destinations: Mapping[str, Any]
    reach: timedelta

    def marked(self, before: Outcome | None, after: Outcome) -> Outcome:
        """Return the outcome with the mark, where this change ends an update whose source has a destination."""
        ends = after.state.final and not (before is not None and before.state.final)
        if not ends or destination_of(_source(after), self.destinations) is None:
            return after
        return replace(after, notice_due=after.last_action)

    def announce(self, outcomes: Sequence[Outcome]) -> None:
        """Put the messages of those that are marked, some at once. Never raise ``Unavailable``: the marks stay."""
        for outcome in islice((outcome for outcome in outcomes if outcome.notice_due is not None), MAX_AT_ONCE):
            try:
                self._put(outcome)
            except Unavailable as error:
                log.warning("notice not put", extra={"update_id": outcome.id, "reason": str(error)})
                return

    def sweep(self, *, everything: bool = False) -> int:
        """Return how many messages were put of outcomes whose mark stayed; ``everything`` looks at all that is kept."""
        if not self.destinations:
            return 0
        now = self.clock.now()
        marked = self.outcomes.marked(None if everything else now - self.reach, now)
        stayed = (outcome for outcome in marked if outcome.notice_due and outcome.notice_due + _YOUNG <= now)
        count = 0
        for outcome in islice(stayed, MAX_SWEPT):
            self._put(outcome)
            count += 1
        if count:
            log.warning("notices put again", extra={"count": count})
        return count

    def _put(self, outcome: Outcome) -> None:
        if outcome.notice_due is None:
            return
        self.queue.put(Notice(outcome.id, outcome.notice_due, _source(outcome)).to_json())
        stored = self.outcomes.get(outcome.id)
        if stored is not None and stored.outcome.notice_due is not None:
            with suppress(Conflict):  # the mark stays, and the timer puts the message once more
                self.outcomes.replace(replace(stored.outcome, notice_due=None), stored.etag)


def _source(outcome: Outcome) -> str | None:
    return outcome.named.source if outcome.named is not None else None
