"""Retries end in time."""

from hypothesis import given
from hypothesis import strategies as st

from relay.errors import CommandError
from relay.retry import RetryBackoff


class InstantClock:
    """A clock on which waiting costs nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


@given(
    seconds=st.floats(0, 10_000),
    jitter=st.floats(0, 1),
    waits=st.lists(st.none() | st.floats(0, 100), max_size=400),
)
def test_retries_end_in_time(seconds: float, jitter: float, waits: list[float | None]) -> None:
    """No Retry-After makes the command wait longer than its limit, and no pause is shorter than Retry-After."""
    clock, error = InstantClock(), CommandError("gone")
    backoff = RetryBackoff(seconds, clock, lambda: jitter, lambda *_: None)
    for wait in waits:
        before = clock.now
        try:
            backoff.wait(error, wait)
        except CommandError:
            break
        assert clock.now - before >= (wait or 0) - 1e-6
    assert clock.now <= seconds + 1e-6
