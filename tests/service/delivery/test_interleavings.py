"""Crashes, lost answers, late landings, clocks that differ: every interleaving ends in the same Graph state.

20,000 examples: ``INTERLEAVINGS=20000 python -m pytest tests/service/delivery/test_interleavings.py``.
"""

import json
import os
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.delivery.outcome import State
from shared.service.ports.storage import Conflict, Unavailable
from shared.wiring.services import Services
from tests.builders import POLICY, a_message, an_update
from tests.service.delivery.interleavings import SETTINGS, Faults, Scheduler, WatchedGraph, consume, finish, host
from tests.world import World

EXAMPLES = int(os.environ.get("INTERLEAVINGS", "200"))
REPORTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=12)
FAULTS = st.builds(Faults, crashes=st.integers(0, 4), storage=st.integers(0, 4), graph=st.integers(0, 4))


def address(user: int, chance: random.Random) -> dict[str, Any]:
    """Name a user by id or, sometimes, by principal name."""
    if chance.random() < 0.7:
        return {"deviceComplianceUserStatusId": f"u{user}"}
    return {"deviceComplianceUserStatusId": None, "userPrincipalName": f"user{user}@X.example"}


def populated(
    chance: random.Random, reports: list[tuple[int, int]], faults: Faults, *, must_rise: bool
) -> tuple[World, dict[str, int]]:
    """Return a world with these reports (user, second) on its queue, and the number of each accepted update."""
    world = World(SETTINGS)
    world.graph = WatchedGraph(world.clock, chance, faults, must_rise=must_rise)
    world.relay = Services(SETTINGS, **world.ports())
    world.graph.users[POLICY] = [(f"u{user}", f"User{user}@x.example") for user in range(3)]
    numbers = {}
    for number, (user, second) in enumerate(reports):
        status = {"devicesCount": number, "lastReportedDateTime": f"2026-11-23T12:00:{second:02}Z"}
        if chance.random() < 0.3:  # a foreign message, known to nobody before its turn
            world.queue.put(json.dumps(a_message(**address(user, chance), userStatus=status)))
        else:
            numbers[world.accept(an_update(**address(user, chance), userStatus=status))] = number
    return world, numbers


def duplicate(world: World, chance: random.Random, duplicates: int) -> None:
    """Put some messages a second time."""
    for message in chance.sample(world.queue.messages, min(duplicates, len(world.queue.messages))):
        world.queue.put(message.text)


@pytest.mark.exhaustive
@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**32), reports=REPORTS, faults=FAULTS, duplicates=st.integers(0, 3))
def test_every_interleaving_ends_in_the_same_graph_state(
    seed: int, reports: list[tuple[int, int]], faults: Faults, duplicates: int
) -> None:
    """The newest report of every user stands, no write is applied over a newer one, every update is final, once."""
    chance = random.Random(seed)
    faults = replace(faults)  # counted down
    world, numbers = populated(chance, reports, faults, must_rise=True)
    duplicate(world, chance, duplicates)
    scheduler = Scheduler(chance, faults)
    scheduler.run({name: consume(world, host(world, scheduler, name)) for name in ("one", "two", "three")})
    finish(world)

    assert world.graph.wrong == []
    assert {outcome.state.status for outcome, _ in world.outcomes.rows.values()} == {"succeeded"}
    assert world.outcomes.rows.keys() >= numbers.keys()
    for user, second in {f"u{user}": max(s for u, s in reports if u == user) for user, _ in reports}.items():
        held = world.in_graph(POLICY, user)
        assert held["lastReportedDateTime"] == f"2026-11-23T12:00:{second:02}Z"
        assert reports[held["devicesCount"]] == (int(user[1:]), second)


def has_ended(world: World, numbers: dict[str, int], count: int) -> bool:
    """Return whether the accepted update with this number was canceled or failed."""
    ids = [update_id for update_id, number in numbers.items() if number == count]
    return any(world.outcome(update_id).state in (State.CANCELED, State.FAILED) for update_id in ids)


def cancel(relay: Services, update_ids: list[str]) -> None:
    """Cancel updates, whatever storage does."""
    for update_id in update_ids:
        with suppress(Unavailable, Conflict):
            relay.cancel(update_id)


@pytest.mark.exhaustive
@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**32), reports=REPORTS, faults=FAULTS, cancels=st.integers(1, 4), bad=st.integers(0, 2))
def test_what_ends_without_success_is_not_in_graph(
    seed: int, reports: list[tuple[int, int]], faults: Faults, cancels: int, bad: int
) -> None:
    """Some updates are canceled meanwhile, some are refused: the newest report that succeeded stands."""
    chance = random.Random(seed)
    faults = replace(faults)  # counted down
    world, numbers = populated(chance, reports, faults, must_rise=False)
    refused = set(chance.sample(range(len(reports)), min(bad, len(reports))))
    world.graph.refuse = lambda properties: properties["devicesCount"] in refused
    world.graph.ended = lambda count: has_ended(world, numbers, count)
    scheduler = Scheduler(chance, faults)
    jobs = {name: consume(world, host(world, scheduler, name)) for name in ("one", "two")}
    unlucky = chance.sample(sorted(numbers), min(cancels, len(numbers)))
    canceling = host(world, scheduler, "three")
    scheduler.run(jobs | {"three": lambda: cancel(canceling, unlucky)})
    finish(world)

    assert world.graph.wrong == []
    assert all(outcome.state.final for outcome, _ in world.outcomes.rows.values())
    succeeded = [
        (outcome.update.device_compliance_user_status_id, outcome.update.properties())
        for outcome, _ in world.outcomes.rows.values()
        if outcome.state.status == "succeeded" and outcome.update
    ]
    for user in {user for user, _ in succeeded}:
        newest = max(str(values["lastReportedDateTime"]) for name, values in succeeded if name == user)
        held = world.in_graph(POLICY, str(user))
        assert held["lastReportedDateTime"] == newest
        assert held["devicesCount"] in {values["devicesCount"] for name, values in succeeded if name == user}
