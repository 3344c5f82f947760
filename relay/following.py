"""Following many updates to their end with few requests: lists of the time in which they were accepted.

An id carries the time of its acceptance, so updates that were accepted together are one page of the list. They end
roughly in that order: the oldest are looked at most often, and all of them now and then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from relay.client import Relay
from relay.ledger import FINAL, Ledger
from relay.outside import Clock
from relay.submission import Progress
from shared.core.basics.timestamp import format_milliseconds
from shared.core.basics.update_id import accepted_at

_IN_ONE_LOOK = 500
_LONGEST_SPAN = timedelta(seconds=60)
#: The relay is asked for a fifth of the time at most.
_SHORTEST_PAUSE, _LONGEST_PAUSE, _PAUSES_PER_LOOK = 1.0, 30.0, 4
_QUIET_SPANS, _ALL_EVERY = 2, 10


@dataclass(frozen=True)
class Span:
    """Updates of one source, accepted within a minute: the first and the last of so many."""

    source: str
    first: str
    last: str


@dataclass(frozen=True)
class Following:
    """Reads outcomes until all are final, or until ``seconds`` have passed."""

    relay: Relay
    ledger: Ledger
    clock: Clock
    progress: Progress
    seconds: float | None = None

    def __call__(self) -> int:
        """How many are still open. Raises ``Failure``."""
        total = self.ledger.open()
        end = None if self.seconds is None else self.clock.monotonic() + self.seconds
        look = 0
        while left := self._open(total):
            began = self.clock.monotonic()
            self._look(total, everything=look % _ALL_EVERY == 0)
            took, look = self.clock.monotonic() - began, look + 1
            if not self.ledger.open_after("", "", 1):
                continue
            pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, took * _PAUSES_PER_LOOK))
            if end is not None and self.clock.monotonic() + pause > end:
                return left
            self.clock.sleep(pause)
        return 0

    def _open(self, total: int) -> int:
        left = self.ledger.open()
        self.progress.step("ended", total - left, total)
        return left

    def _look(self, total: int, *, everything: bool) -> None:
        quiet = 0
        for span in self._spans():
            quiet = 0 if self._read(span) else quiet + 1
            self._open(total)
            if quiet >= _QUIET_SPANS and not everything:
                return

    def _read(self, span: Span) -> int:
        """How many have ended since they were last read."""
        query = {
            "source": span.source,
            "top": 1000,
            "createdAfter": format_milliseconds(accepted_at(span.first)),
            "createdBefore": format_milliseconds(accepted_at(span.last) + timedelta(milliseconds=1)),
        }
        listed = (one for page in self.relay.pages("/api/updates", query) for one in page.get("value", ()))
        return sum(self.ledger.ended(span.source, one) for one in listed if one.get("status") in FINAL)

    def _spans(self) -> Iterator[Span]:
        source, last = "", ""
        while some := self.ledger.open_after(source, last, _IN_ONE_LOOK):
            source, first = some[0]
            end = accepted_at(first) + _LONGEST_SPAN
            last = max(one for named, one in some if named == source and accepted_at(one) <= end)
            yield Span(source, first, last)
