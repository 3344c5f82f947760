"""One user status with thousands of waiting updates: settled in transactions, within the lease."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.delivery.outcome import State
from shared.core.delivery.user_status import Acceptance, UserStatusRow
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import an_envelope, reported
from tests.fakes.runtime import SteppedClock
from tests.world import World


class SlowStorage:
    """A port each of whose calls takes time, and is counted."""

    def __init__(self, port: Any, clock: SteppedClock, calls: list[str], milliseconds: int) -> None:
        self._port, self._clock, self._calls, self._milliseconds = port, clock, calls, milliseconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            self._calls.append(name)
            self._clock.step(milliseconds=self._milliseconds)
            return method(*args, **kwargs)

        return called if callable(method) else method


def crowded(count: int, milliseconds: int = 20) -> tuple[World, list[str]]:
    """A world in which so many updates of one user wait, and its storage calls."""
    settings = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})
    world, calls = World(settings), []
    for n in range(count):
        world.accept(userStatus=reported("12:00:00", devicesCount=n))
    slow = {
        name: SlowStorage(getattr(world, name), world.clock, calls, milliseconds)
        for name in ("outcomes", "user_statuses")
    }
    world.relay = Services(settings, **(world.ports() | slow))
    return world, calls


def test_thousands_of_waiting_updates_of_one_user_are_settled_by_one_turn() -> None:
    """With 20 ms a storage call, in less than a lease lasts."""
    world, calls = crowded(3000)
    began = world.clock.now()

    world.deliver_next()

    assert {outcome.state.status for outcome, _ in world.outcomes.rows.values()} == {"succeeded"}
    assert world.clock.now() - began < timedelta(seconds=45)
    assert len(world.graph.calls) == 1
    assert not any(world.user_statuses.accepted.values())
    assert len(calls) < 40


def test_settling_many_keeps_the_lease_however_slow_storage_is() -> None:
    """With 4 seconds a call the lease is renewed on the way, so that nobody else writes meanwhile."""
    world, calls = crowded(3000, milliseconds=4000)

    world.deliver_next()

    assert world.clock.now() - world.graph.calls[0].at > timedelta(seconds=45)
    assert {outcome.state.status for outcome, _ in world.outcomes.rows.values()} == {"succeeded"}
    assert all(row.lease is None for row, _ in world.user_statuses.rows.values())
    assert calls


def test_an_update_that_others_change_meanwhile_is_settled_on_its_own() -> None:
    """The others of its transaction are not held up."""
    world, _ = crowded(300)
    replace_all, moved = world.outcomes.replace_all, []

    def faster(replacements: Any) -> Any:
        if not moved:
            stored = replacements[7]
            moved.append(stored.outcome.id)
            outcome, etag = world.outcomes.rows[stored.outcome.id]
            world.outcomes.rows[stored.outcome.id] = (outcome, etag + 1)
        return replace_all(replacements)

    world.outcomes.replace_all = faster  # type: ignore[method-assign]
    world.deliver_next()

    assert moved
    assert world.outcome(moved[0]).state is State.SUPERSEDED
    assert {outcome.state.status for outcome, _ in world.outcomes.rows.values()} == {"succeeded"}


def test_a_leased_user_status_is_left_after_its_first_rows(world: World) -> None:
    """Nothing of its thousands of acceptances is read."""
    envelope = an_envelope()
    for n in range(500):
        world.user_statuses.register(envelope.user_status_key, Acceptance.of(an_envelope(n, n)))
    claim = world.relay.leases.acquire(envelope.user_status_key, UserStatusRow.of(envelope), holder="a turn")
    read, limits = world.user_statuses.read, []

    def noting(key: str, limit: int | None = None) -> Any:
        limits.append(limit)
        return read(key, limit)

    world.user_statuses.read = noting  # type: ignore[method-assign]
    world.queue.put(envelope.to_json())
    world.deliver_next()

    assert claim
    assert world.graph.calls == []
    assert limits == [99]


@pytest.mark.parametrize("canceled", [1, 500])
def test_many_canceled_acceptances_that_were_left_behind_cost_little(canceled: int) -> None:
    """Outcomes are read in a list, not one after the other."""
    world, calls = crowded(canceled + 1)
    for update_id in sorted(world.outcomes.rows)[1:]:
        outcome, etag = world.outcomes.rows[update_id]
        world.outcomes.rows[update_id] = (replace(outcome, state=State.CANCELED), etag + 1)

    world.deliver_next()

    assert world.in_graph()["devicesCount"] == 0
    assert not any(world.user_statuses.accepted.values())
    assert len(calls) < 20
