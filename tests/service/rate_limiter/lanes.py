"""Instances with turns of both lanes that share one row, in virtual time: how long normal updates wait."""

from dataclasses import dataclass, field

from shared.core.delivery.graph_reply import GraphReply
from shared.core.rate_limit import RateLimitState, Slot
from shared.core.rate_limit.state import record_success
from shared.service.rate_limiter import RateLimiter
from tests.fakes.virtual_time import SkewedClock
from tests.service.rate_limiter.fleet import POLICY, Distant, Fleet, SeededRandomness


@dataclass
class TwoLanes(Fleet):
    """A fleet whose bulk queue never ends, for ``seconds``; normal updates arrive at the given moments.

    ``with_normal``: how many of the instances take normal updates, None for all.
    """

    seconds: float = 120.0
    arrivals: list[float] = field(default_factory=list)
    with_normal: int | None = None
    waits: list[float] = field(default_factory=list)
    bulk_sent: list[float] = field(default_factory=list)

    def deliver(self) -> None:
        """Run all instances to their end."""
        self.row.pacing = record_success(RateLimitState(), POLICY)
        arriving, jobs = sorted(self.arrivals), []
        for number in range(self.instances):
            limiter = RateLimiter(
                Distant(self),
                self.quota,
                clock=SkewedClock(self.time, 0.0),
                randomness=SeededRandomness(number),
                call_milliseconds=30_000,
            )
            jobs += [lambda limiter=limiter: self._bulk(limiter)] * self.threads
            if self.with_normal is None or number < self.with_normal:
                jobs += [lambda limiter=limiter: self._normal(limiter, arriving)] * self.threads
        self.time.run(*jobs)

    def share_of_bulk(self, since: float, until: float) -> float:
        """Return the bulk lane's share of the writes between two moments."""
        all_sent = [at for at, _, _ in self.sent if since <= at < until]
        return sum(since <= at < until for at in self.bulk_sent) / len(all_sent)

    def _bulk(self, limiter: RateLimiter) -> None:
        while self.time.seconds < self.seconds:
            at = self._write(limiter, bulk=True)
            if at is not None:
                self.bulk_sent.append(at)

    def _normal(self, limiter: RateLimiter, arriving: list[float]) -> None:
        while arriving:
            if arriving[0] > self.time.seconds:
                self.time.pause(min(0.1, arriving[0] - self.time.seconds))
                continue
            arrived = arriving.pop(0)
            at = None
            while at is None and self.time.seconds < self.seconds:
                at = self._write(limiter, bulk=False)
            if at is not None:
                self.waits.append(at - arrived)

    def _write(self, limiter: RateLimiter, *, bulk: bool) -> float | None:
        """Return the moment of the write; None where the turn got no slot."""
        self.time.pause(3 * self.storage_takes())
        with limiter.slot(POLICY, bulk=bulk) as admission:
            slot = admission.acquire()
            self.time.pause(3 * self.storage_takes())
            while isinstance(slot, Slot) and not admission.wait_until_open():
                slot = admission.acquire()
            if not isinstance(slot, Slot) or self.time.seconds >= self.seconds:
                return None
            at = self.time.seconds
            self.sent.append((at, POLICY, 200))
            self.time.pause(self.call_seconds)
            limiter.record(POLICY, "user", GraphReply(200))
            return at
