"""Which open updates have lost their message, as a pure rule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.delivery.outcome import Outcome, Transition, advance, queued
from shared.core.delivery.overdue import Surroundings, held_until, is_overdue, slot_wait
from shared.core.rate_limit import RateLimitState
from tests.builders import NOW, an_envelope

QUEUED = queued(an_envelope(), NOW)


def after(seconds: float, **around: object) -> Surroundings:
    """What is seen so long after acceptance, with an empty queue and no hold."""
    now = NOW + timedelta(seconds=seconds)
    return replace(Surroundings(now, head=None, held_until=NOW), **around)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "around", "overdue"),
    [
        (QUEUED, after(59), False),
        (QUEUED, after(60), True),
        (QUEUED, after(60, head=NOW - timedelta(seconds=1)), False),
        (QUEUED, after(60, head=NOW + timedelta(seconds=1)), True),
        (QUEUED, after(600, held_until=NOW + timedelta(seconds=541)), False),
        (QUEUED, after(600, held_until=NOW + timedelta(seconds=540)), True),
        (QUEUED, after(99, slot_wait=timedelta(seconds=100)), False),
        (QUEUED, after(100, slot_wait=timedelta(seconds=100)), True),
        (advance(QUEUED, Transition.WAIT, NOW, next_attempt=NOW + timedelta(hours=1)), after(3659), False),
        (advance(QUEUED, Transition.WAIT, NOW, next_attempt=NOW + timedelta(hours=1)), after(3660), True),
        (replace(QUEUED, put_back=NOW), after(599), False),
        (replace(QUEUED, put_back=NOW), after(600), True),
    ],
)
def test_an_update_is_overdue_when_nothing_explains_that_it_still_waits(
    outcome: Outcome, around: Surroundings, *, overdue: bool
) -> None:
    """A minute, a backlog, a hold, its next attempt, slots booked far ahead, a message that it got just now."""
    assert is_overdue(outcome, around) is overdue


def test_the_wait_for_a_slot_follows_how_far_ahead_slots_are_booked() -> None:
    """Each instance books a few at a time for several times as many turns."""
    milliseconds = int(NOW.timestamp() * 1000)
    assert slot_wait(RateLimitState(), NOW) == timedelta(0)
    assert slot_wait(RateLimitState(stamps=(milliseconds + 30_000,)), NOW) == timedelta(minutes=2)


def test_a_hold_that_a_wrong_clock_wrote_stops_nothing() -> None:
    """No hold is longer than a day."""
    milliseconds = int(NOW.timestamp() * 1000)
    assert held_until(RateLimitState(hold_until=milliseconds + 3_600_000), NOW) == NOW + timedelta(hours=1)
    assert held_until(RateLimitState(hold_until=milliseconds + 300 * 86_400_000), NOW) == NOW
