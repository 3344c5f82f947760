"""Which open updates have lost their message, as a pure rule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.delivery.outcome import Outcome, Transition, advance, queued
from shared.core.delivery.overdue import Surroundings, is_overdue, overdue_updates
from tests.builders import NOW, POLICY, an_envelope

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
        (QUEUED, after(80, booked_until=NOW + timedelta(seconds=101)), False),
        (QUEUED, after(80, booked_until=NOW + timedelta(seconds=100)), True),
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
    assert after(0).slot_wait == timedelta(0)
    assert after(0, booked_until=NOW - timedelta(hours=1)).slot_wait == timedelta(0)
    assert after(0, booked_until=NOW + timedelta(seconds=30)).slot_wait == timedelta(minutes=2)


def test_updates_that_waited_for_their_policy_have_time_to_come_back_one_by_one() -> None:
    """The more of them, the longer; those of another policy are not kept by it."""
    waiting = [queued(an_envelope(n=n), NOW) for n in range(300)]
    other = queued(an_envelope(n=999, deviceCompliancePolicyId=POLICY.replace("3", "4")), NOW)
    outage = {"policies": {POLICY: NOW + timedelta(seconds=60)}, "spacing": timedelta(seconds=0.2)}

    assert overdue_updates([*waiting, other], after(179, **outage)) == [other]
    assert len(overdue_updates([*waiting, other], after(180, **outage))) == 301
    assert len(overdue_updates([*waiting[:10], other], after(122, **outage))) == 11
