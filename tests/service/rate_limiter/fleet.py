"""Instances of the relay that share one row, in virtual time: what they send, and when."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from emulator.graph_state import fullest_window
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.retry import is_refusal, is_success
from shared.core.rate_limit import Quota, RateLimitState, Slot
from shared.service.rate_limiter import Deferred, RateLimiter, RouteMissing
from tests.fakes.rate_limit import MemoryRateLimit
from tests.fakes.virtual_time import SkewedClock, VirtualTime

POLICY = "policy"


class Distant:
    """The shared row behind a network: half of a call's seconds go by before it arrives."""

    def __init__(self, fleet: "Fleet") -> None:
        self.row, self.time, self.fleet = fleet.row, fleet.time, fleet

    def read(self) -> tuple[RateLimitState, str | None]:
        self.time.pause(self.fleet.storage_takes() / 2)
        found = self.row.read()
        self.time.pause(self.fleet.storage_takes() / 2)
        return found

    def write(self, state: RateLimitState, etag: str | None) -> datetime:
        self.time.pause(self.fleet.storage_takes() / 2)
        written = self.time.now()
        try:
            self.row.write(state, etag)
        finally:
            self.time.pause(self.fleet.storage_takes() / 2)
        return written


class SeededRandomness:
    """Randomness of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def bits(self) -> int:
        return self._random.getrandbits(74)

    def jitter(self) -> float:
        return self._random.random()


@dataclass
class Fleet:
    """``instances`` of ``threads`` each; ``answer`` is what Graph says to a policy's user at a moment."""

    quota: Quota
    instances: int = 1
    threads: int = 16
    storage_seconds: float = 0.01
    call_seconds: float = 0.1
    skews: tuple[float, ...] = (0.0,)
    answer: Callable[[str, str, float], GraphReply] = lambda policy, user, at: GraphReply(200)
    time: VirtualTime = field(default_factory=VirtualTime)
    row: MemoryRateLimit = field(default_factory=MemoryRateLimit)
    sent: list[tuple[float, str, int | None]] = field(default_factory=list)
    deferred: list[tuple[float, str]] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    missing: int = 0
    longest_turn: float = 0.0
    hangs: dict[str, float] = field(default_factory=dict)
    slow_every: float | None = None

    def storage_takes(self) -> float:
        """The seconds of a call to storage: 0.3 more for a second and a half of each ``slow_every``."""
        slow = self.slow_every is not None and self.time.seconds % self.slow_every < 1.5 < self.time.seconds
        return self.storage_seconds + 0.3 * slow

    def run(self, updates: list[str]) -> None:
        """Deliver updates, given by their policies, as each instance takes them from one queue."""
        queue = list(enumerate(updates))
        later: list[tuple[float, int, str]] = []
        jobs = []
        for number in range(self.instances):
            clock = SkewedClock(self.time, self.skews[number % len(self.skews)])
            limiter = RateLimiter(
                Distant(self),
                self.quota,
                clock=clock,
                randomness=SeededRandomness(number),
                call_milliseconds=30_000,
            )
            jobs += [lambda limiter=limiter: self._work(limiter, queue, later)] * self.threads
        self.time.run(*jobs)

    def _work(self, limiter: RateLimiter, queue: list[tuple[int, str]], later: list[tuple[float, int, str]]) -> None:
        while queue or later:
            due = [waiting for waiting in later if waiting[0] <= self.time.seconds]
            if due:
                later.remove(due[0])
                _, user, policy = due[0]
            elif queue:
                user, policy = queue.pop(0)
            else:
                self.time.pause(max(1.0, min(60.0, min(later)[0] - self.time.seconds)))
                continue
            self.time.pause(3 * self.storage_takes())
            began = self.time.seconds
            when = self._turn(limiter, policy, f"user-{user}")
            self.longest_turn = max(self.longest_turn, self.time.seconds - began)
            if when is not None:
                later.append((when, user, policy))
            self.time.pause(4 * self.storage_takes())

    def _turn(self, limiter: RateLimiter, policy: str, user: str) -> float | None:
        """Take a turn; the moment of the next one where there has to be one."""
        with limiter.slot(policy) as admission:
            slot = admission.acquire()
            self.time.pause(3 * self.storage_takes())
            while isinstance(slot, Slot) and not admission.wait_until_open():
                slot = admission.acquire()
            match slot:
                case Deferred(when):
                    self.deferred.append((self.time.seconds, policy))
                    return self.time.seconds + max(0.0, (when - self.time.now()).total_seconds())
                case RouteMissing():
                    self.missing += 1
                    return None
            reply = self.answer(policy, user, self.time.seconds)
            self.sent.append((self.time.seconds, policy, reply.status_code))
            self.time.pause(self.hangs.get(user, self.call_seconds))
            self.ended.append(self.time.seconds)
            limiter.record(policy, user, reply)
            again = not (is_success(reply) or is_refusal(reply))
            return self.time.seconds + 2 if again else None

    def fullest_window(self) -> int:
        """The most writes in any window."""
        return fullest_window(sorted(at for at, _, _ in self.sent), self.quota.window / 1000)

    def use(self) -> float:
        """The share of the quota that was used, from the first write to the last full window."""
        times = sorted(at for at, _, _ in self.sent)
        windows = int((times[-1] - times[0]) / (self.quota.window / 1000))
        end = times[0] + windows * self.quota.window / 1000
        return sum(at < end for at in times) / (windows * self.quota.count)
