"""Send one notice of the outbox, or let it wait: a slow or broken receiver delays nothing else.

A notice that was not taken goes back to the outbox with a longer pause each time. After some failures in a row a
receiver gets one notice at a time, until it takes one; the others wait without a look at their outcome.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from shared.core.delivery.notice import Notice, NoticeBackoff, event_of, read_notice
from shared.core.delivery.notice_destination import destination_of
from shared.core.delivery.statistics import DROPPED, SENT
from shared.service.outcomes.counters import Counters
from shared.service.ports.notices import Gone, NoticeReceiver, NotTaken, Taken
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import OutcomeStore, UpdateQueue
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)

#: So many failures in a row hold a receiver.
HELD_AFTER = 3
_LONGEST_HOLD = timedelta(minutes=1)
#: One attempt takes less: until then a held receiver gets no second notice.
_ONE_ATTEMPT = timedelta(seconds=30)
_FOREVER_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class _Health:
    """What this process knows of one receiver."""

    failures: int = 0
    held_until: datetime = _FOREVER_AGO
    gone: bool = False


@dataclass(frozen=True)
class SendNotice:
    """Consumes one message of the outbox; ``origin`` is the address that events name as their source."""

    queue: UpdateQueue
    outcomes: OutcomeStore
    receivers: Mapping[str, NoticeReceiver]
    counters: Counters
    clock: Clock
    randomness: Randomness
    backoff: NoticeBackoff
    origin: str
    _health: dict[str, _Health] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @redacts_errors
    def __call__(self, body: bytes) -> None:
        """Send the notice, put it back for later, or drop it. Raise ``Unavailable``."""
        notice = read_notice(body)
        if notice is None:
            log.error("notice unreadable")
            return
        name = destination_of(notice.source, self.receivers)
        if name is None:
            self._drop(notice, "no destination")
        elif self._is_gone(name):
            self._drop(notice, "the receiver has answered 410")
        elif not self._may_try(name):
            self._later(notice, "the receiver is held")
        else:
            self._send(notice, name)

    @redacts_errors
    def poisoned(self, body: bytes) -> None:
        """Put a message that failed inside the relay back, after a pause. Raise ``Unavailable``."""
        notice = read_notice(body)
        if notice is not None:
            self._later(notice, "it failed inside the relay")

    def _send(self, notice: Notice, name: str) -> None:
        stored = self.outcomes.get(notice.update_id)
        if stored is None or not stored.outcome.state.final:
            self._drop(notice, "its update is not kept any more")
            return
        match self.receivers[name].send(event_of(stored.outcome, self.origin)):
            case Taken():
                self._note(name, _reset)
                self.counters.notice_ended(SENT)
                log.info("notice sent", extra={"update_id": notice.update_id, "attempt": notice.attempt})
            case Gone():
                self._note(name, _end)
                log.error("notices ended by their receiver", extra={"destination": name})
                self._drop(notice, "the receiver has answered 410")
            case NotTaken(reason):
                self._note(name, self._hold)
                self._later(notice, reason)

    def _later(self, notice: Notice, reason: str) -> None:
        delay = self.backoff.pause(notice.attempt, self.randomness.jitter())
        if self.clock.now() + delay >= notice.expires:
            self._drop(notice, reason)
            return
        self.queue.put(notice.next_attempt().to_json(), delay)
        log.info("notice waits", extra={"update_id": notice.update_id, "attempt": notice.attempt, "reason": reason})

    def _drop(self, notice: Notice, reason: str) -> None:
        self.counters.notice_ended(DROPPED)
        log.error("notice dropped", extra={"update_id": notice.update_id, "reason": reason})

    def _is_gone(self, name: str) -> bool:
        with self._lock:
            return name in self._health and self._health[name].gone

    def _may_try(self, name: str) -> bool:
        """Whether the receiver may get a notice now; one that is held gets a single one when its hold is over."""
        now = self.clock.now()
        with self._lock:
            health = self._health.setdefault(name, _Health())
            if health.failures < HELD_AFTER:
                return True
            if now < health.held_until:
                return False
            health.held_until = now + _ONE_ATTEMPT
            return True

    def _note(self, name: str, change: Callable[[_Health], None]) -> None:
        with self._lock:
            change(self._health.setdefault(name, _Health()))

    def _hold(self, health: _Health) -> None:
        health.failures += 1
        beyond = health.failures - HELD_AFTER + 1
        if beyond > 0:
            health.held_until = self.clock.now() + min(_LONGEST_HOLD, self.backoff.pause(beyond, 1.0))


def _reset(health: _Health) -> None:
    health.failures, health.held_until = 0, _FOREVER_AGO


def _end(health: _Health) -> None:
    health.gone = True
