"""The rate limiter under real threads and the machine's own clock."""

import threading
from collections.abc import Callable

from shared.adapters.system import SystemClock, SystemRandomness
from shared.core.delivery.graph_reply import GraphReply
from shared.core.rate_limit import Quota, RateLimitState, Slot
from shared.core.rate_limit.state import record_success
from shared.service.rate_limiter import RateLimiter
from tests.fakes.rate_limit import MemoryRateLimit


def run(jobs: list[Callable[[], None]]) -> None:
    """Run all at the same time."""
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_of_several_instances_never_use_more_slots_than_the_quota() -> None:
    """Each slot is given out once, and no window holds more of those used than the quota, by the slots' own times."""
    quota, row, used = Quota(40, 400), MemoryRateLimit(), list[Slot]()
    row.pacing = record_success(RateLimitState(), "p")

    def work(limiter: RateLimiter) -> None:
        for n in range(8):
            with limiter.slot("p") as admission:
                while isinstance(slot := admission.acquire(), Slot):
                    if admission.wait_until_open():
                        used.append(slot)
                        limiter.record("p", f"user-{n}", GraphReply(200))
                        break

    limiters = [
        RateLimiter(
            row,
            quota,
            clock=SystemClock(),
            randomness=SystemRandomness(),
            call_milliseconds=1_000,
        )
        for number in range(4)
    ]
    run([lambda limiter=limiter: work(limiter) for limiter in limiters for _ in range(4)])

    assert len(used) == 4 * 4 * 8
    closes = sorted(slot.closes for slot in used)
    assert all(later - earlier > quota.window for earlier, later in zip(closes, closes[quota.count :], strict=False))
