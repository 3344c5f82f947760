"""Following many updates to their end with few requests: lists by the time of acceptance.

An id holds the time of acceptance, so updates that were accepted together are on one page of the list. They end roughly
in that order: the oldest are read most often, and all of them from time to time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from relay.client import RelayClient
from relay.submission.progress import Progress
from relay.submission.submission_log import FINAL, SubmissionLog
from relay.system import Clock
from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.update_id import accepted_at
from shared.core.intake.limits import MAX_TOP

_MAX_SPAN_UPDATES = 500
_MAX_SPAN = timedelta(seconds=60)
#: A pause is so many times as long as the look before it: requests take a fifth of the time at most.
_PAUSES_PER_LOOK = 4
_MIN_PAUSE, _MAX_PAUSE = 1.0, 30.0
#: A look ends after so many spans without news; every tenth look reads all spans.
_MAX_QUIET_SPANS, _ALL_SPANS_EVERY = 2, 10


@dataclass(frozen=True)
class _Span:
    """Updates of one source, accepted within a minute: the ids of the first and the last."""

    source: str
    first: str
    last: str


@dataclass(frozen=True)
class OutcomePoller:
    """Reads outcomes until all are final, or until ``max_seconds`` have passed (None: no limit)."""

    client: RelayClient
    log: SubmissionLog
    clock: Clock
    progress: Progress
    max_seconds: float | None = None

    def poll(self) -> int:
        """Return how many updates are still open. Raise ``CommandError``."""
        total = self.log.count_open()
        end = None if self.max_seconds is None else self.clock.monotonic() + self.max_seconds
        look = 0
        while count := self._show_open(total):
            began = self.clock.monotonic()
            self._look(total, everything=look % _ALL_SPANS_EVERY == 0)
            seconds, look = self.clock.monotonic() - began, look + 1
            if not self.log.open_updates_after("", "", 1):
                continue
            pause = min(_MAX_PAUSE, max(_MIN_PAUSE, seconds * _PAUSES_PER_LOOK))
            if end is not None and self.clock.monotonic() + pause > end:
                return count
            self.clock.sleep(pause)
        return 0

    def _show_open(self, total: int) -> int:
        count = self.log.count_open()
        self.progress.step("ended", total - count, total)
        return count

    def _look(self, total: int, *, everything: bool) -> None:
        quiet = 0
        for span in self._spans():
            quiet = 0 if self._read(span) else quiet + 1
            self._show_open(total)
            if quiet >= _MAX_QUIET_SPANS and not everything:
                return

    def _read(self, span: _Span) -> int:
        """Return how many of a span became final since it was read last."""
        query = {
            "source": span.source,
            "top": MAX_TOP,
            "createdAfter": format_milliseconds(accepted_at(span.first)),
            "createdBefore": format_milliseconds(accepted_at(span.last) + timedelta(milliseconds=1)),
        }
        updates = (update for page in self.client.pages("/api/updates", query) for update in page.get("value", ()))
        return sum(self.log.mark_final(span.source, update) for update in updates if update.get("status") in FINAL)

    def _spans(self) -> Iterator[_Span]:
        source, last = "", ""
        while updates := self.log.open_updates_after(source, last, _MAX_SPAN_UPDATES):
            source, first = updates[0]
            end = accepted_at(first) + _MAX_SPAN
            last = max(update_id for named, update_id in updates if named == source and accepted_at(update_id) <= end)
            yield _Span(source, first, last)
