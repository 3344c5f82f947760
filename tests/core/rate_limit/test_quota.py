"""The write quota, for any course of events."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.rate_limit.quota import MAX_AHEAD, MAX_CLOCK_SKEW, Demand, Quota, Slot, release, reserve

NOW = 1_795_000_000_000
STEP = 20
QUOTAS = st.builds(Quota, count=st.integers(1, 120), window=st.sampled_from([1_000, 2_000, 20_000, 120_000]))


def book(stamps: tuple[int, ...], quota: Quota, now: int, count: int = 1) -> tuple[tuple[int, ...], tuple[Slot, ...]]:
    """Reserve slots from now on."""
    return reserve(stamps, quota, Demand(now=now, earliest=now, count=count))


def fullest(sent: list[int], quota: Quota) -> int:
    """The most writes in any window."""
    sent = sorted(sent)
    most, first = 0, 0
    for last, moment in enumerate(sent):
        while sent[first] <= moment - quota.window:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(QUOTAS, st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 6), st.booleans()), max_size=80), st.data())
def test_no_window_ever_holds_more_writes_than_the_quota(
    quota: Quota, bookings: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    """Whenever within its slot each write is sent, and whatever lapses and is given back."""
    stamps, now, sent = tuple[int, ...](), NOW, list[int]()
    for later, count, unused in bookings:
        now += later
        stamps, slots = book(stamps, quota, now, count)
        if unused:
            stamps = release(stamps, slots)
        else:
            sent += [data.draw(st.integers(slot.opens, slot.closes)) for slot in slots]
    assert fullest(sent, quota) <= quota.count


@given(QUOTAS, st.integers(0, 3))
def test_no_slot_is_reserved_more_than_a_minute_ahead(quota: Quota, spare: int) -> None:
    """A full row gives fewer slots than asked for, or none."""
    stamps = tuple[int, ...]()
    for _ in range(quota.count * 4):
        stamps, slots = reserve(stamps, quota, Demand(now=NOW, earliest=NOW, count=40, spare=spare, until=NOW + 500))
        assert all(slot.opens <= NOW + MAX_AHEAD for slot in slots)
        if not slots:
            break


@given(QUOTAS)
def test_a_backlog_gets_nearly_all_of_the_quota(quota: Quota) -> None:
    """Ten windows' worth of slots take ten windows and a little: 97 % at a whole window of 20 s."""
    stamps, slots, now = tuple[int, ...](), list[Slot](), NOW
    while len(slots) < 10 * quota.count:
        stamps, more = book(stamps, quota, now, 4)
        slots += more
        now = slots[-1].opens if more else now + MAX_AHEAD
    kept_back = quota.margin + quota.validity
    late = MAX_AHEAD if quota.window > MAX_AHEAD else 0
    assert slots[10 * quota.count - 1].closes - NOW <= 10 * (quota.window + kept_back + late) + quota.patience
    if quota.window == 20_000:
        assert kept_back <= 0.03 * quota.window


@given(QUOTAS, st.integers(1, 120))
def test_stamps_from_a_clock_that_was_wrong_stop_nobody(quota: Quota, many: int) -> None:
    """Slots of a minute and more ahead can only be a mistake."""
    stamps, _ = book((), quota, NOW + 300 * 86_400_000, many)
    _, (slot,) = book(stamps, quota, NOW)
    assert slot.opens <= NOW + 1


def test_spare_slots_come_only_where_they_are_near() -> None:
    """One instance alone takes many at a time; where others hold slots already, it takes few."""
    demand = Demand(now=NOW, earliest=NOW, count=4, spare=10, until=NOW + 1_000)
    empty, alone = reserve((), Quota(100, 20_000), demand)
    _, among_others = reserve(empty, Quota(100, 20_000), demand)
    assert len(alone) == 11
    assert len(among_others) == 4


@dataclass
class Instance:
    """One of many that share the stamps: it reserves a few, uses some late, gives others back."""

    ahead: int
    slots: list[Slot] = field(default_factory=list)


def simulate(quota: Quota, instances: list[Instance], steps: int, chance: Random) -> list[int]:
    """Play so many steps of 20 ms of true time, each instance by its own clock; the true moments of the writes.

    One slot in twenty is not used.
    """
    stamps, sent = tuple[int, ...](), list[int]()
    for now in range(NOW, NOW + steps * STEP, STEP):
        for instance in instances:
            clock = now + instance.ahead
            due = [slot for slot in instance.slots if slot.opens <= clock]
            for slot in due:
                instance.slots.remove(slot)
                if slot.closes < clock or chance.random() < 0.05:
                    stamps = release(stamps, [slot])
                else:
                    sent.append(now)
            if len(instance.slots) < 2:
                stamps, more = book(stamps, quota, clock, 16)
                instance.slots += more
    return sent


@pytest.mark.parametrize(
    ("instances", "quota"),
    [(22, Quota(100, 20_000)), (40, Quota(100, 20_000)), (6, Quota(10, 20_000)), (10, Quota(10, 2_000))],
    ids=["22 at 100/20", "40 at 100/20", "6 at 10/20", "10 at 10/2"],
)
def test_many_instances_keep_the_quota(instances: int, quota: Quota) -> None:
    """Reserved far ahead by many, it is used to the full and never overrun."""
    sent = simulate(quota, [Instance(0) for _ in range(instances)], 3_000, Random(instances))
    assert fullest(sent, quota) <= quota.count
    assert len(sent) >= 0.9 * quota.count * (3_000 * STEP / quota.window)


@given(
    quota=QUOTAS,
    ahead=st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=12),
    seed=st.integers(0, 1_000),
)
def test_clocks_that_differ_by_seconds_overrun_by_no_more_than_they_differ(
    quota: Quota, ahead: list[int], seed: int
) -> None:
    """A window that is longer by the difference never holds more than the quota and what the difference holds."""
    sent = simulate(quota, [Instance(skew) for skew in ahead], 400, Random(seed))
    difference = max(ahead) - min(ahead)
    longer = Quota(quota.count, max(1, quota.window - difference))
    assert difference < MAX_CLOCK_SKEW
    assert quota.window <= difference or fullest(sent, longer) <= quota.count
