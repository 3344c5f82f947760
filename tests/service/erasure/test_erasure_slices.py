"""The life of an erasure: slices of bounded cost, storage that is away, its own end."""

from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State, Transition, advance, queued
from shared.core.erasure.erasure import MAX_FOLLOWED, MAX_USER_STATUSES
from shared.core.intake.envelope import Envelope
from shared.service.erasure.erase import SLICE_CALLS
from shared.service.erasure.outcomes import FOLLOWED_AT_ONCE
from shared.service.ports.storage import Unavailable
from tests.builders import NOW, POLICY, an_id, an_update
from tests.service.lives import (
    HERS,
    NAME,
    erase,
    erasure,
    finished,
    lived,
    status,
    stored,
)
from tests.web.caller import ask, problem
from tests.world import World

IDS = {"deviceCompliancePolicyId": POLICY, "deviceComplianceUserStatusId": HERS}


def test_the_erasure_itself_forgets_whom_it_was_about(world: World) -> None:
    """While it runs its row needs the name; the resource never shows it."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    assert NAME in repr(world.erasures.rows)
    assert NAME not in repr(begun) + repr(erasure(world, begun["id"]))
    world.run()
    finished(world, begun)
    assert NAME not in repr(world.erasures.rows)


def test_an_erasure_that_cannot_end_fails_and_forgets_too(world: World) -> None:
    """After the retention: whoever asked for it asks again."""
    world.identity.fault = "gone"
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    world.clock.step(days=31)
    assert world.relay.erase() == 1
    assert erasure(world, begun["id"])["status"] == "failed"
    assert NAME not in repr(world.erasures.rows)


def test_ended_erasures_are_purged_open_ones_are_not(world: World) -> None:
    """With the retention, counted from their end."""
    done = erase(world)
    world.graph.replies = [GraphReply(503, retry_after_seconds=600.0)]
    world.accept(userStatus=status(NAME))
    world.deliver_next()
    begun = erase(world)
    world.clock.step(days=29)
    assert world.relay.purge() == 0
    world.clock.step(days=2)
    world.relay.purge()
    assert world.erasures.get(done["id"]) is None
    assert world.erasures.get(begun["id"]) is not None


def test_storage_that_is_away_delays_an_erasure_and_loses_none(world: World) -> None:
    """503 while the request cannot be written; later on the timer comes again."""
    lived(world)
    insert, scan = world.erasures.insert, world.user_statuses.scan

    def down(*_: Any) -> Any:
        raise Unavailable("table")

    world.erasures.insert = down  # type: ignore[method-assign]
    response, _ = ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": NAME})
    assert problem(response) == (503, "storageUnavailable")
    assert not world.erasures.rows
    world.erasures.insert = insert  # type: ignore[method-assign]
    world.user_statuses.scan = down  # type: ignore[method-assign]
    begun = erase(world)
    assert (begun["status"], begun["updatesErased"]) == ("running", 0)
    world.user_statuses.scan = scan  # type: ignore[method-assign]
    assert finished(world, begun)["updatesErased"] == 12


def test_one_erasures_fault_is_no_matter_of_the_others(world: World) -> None:
    """A row that nobody understands does not stop the timer."""
    lived(world)
    scan = world.user_statuses.scan

    def garbled(*_: Any) -> Any:
        raise KeyError("Confirmed")

    world.user_statuses.scan = garbled  # type: ignore[method-assign]
    first = erase(world)
    world.clock.step(seconds=1)
    second = erase(world, **IDS)
    assert erasure(world, first["id"])["status"] == "running"
    assert second["status"] == "succeeded"
    world.user_statuses.scan = scan  # type: ignore[method-assign]
    assert finished(world, first)["status"] == "succeeded"


@pytest.mark.exhaustive
def test_thousands_of_outcomes_take_several_slices_of_bounded_cost(world: World) -> None:
    """However large the table."""
    for n in range(5_000):
        update = an_update(
            deviceComplianceUserStatusId=f"u{n % 50}", userStatus=status(NAME if n % 2 else None, n % 60)
        )
        outcome = advance(queued(Envelope(an_id(n=n), 1, update), NOW), Transition.CANCEL, NOW)
        world.outcomes.insert(outcome)
    calls: list[int] = []

    def counting(call: Any) -> Any:
        def counted(*args: Any) -> Any:
            calls[-1] += 1
            return call(*args)

        return counted

    for name in ("replace", "scan", "get"):
        setattr(world.outcomes, name, counting(getattr(world.outcomes, name)))
    world.erasures.replace = counting(world.erasures.replace)  # type: ignore[method-assign]
    world.user_statuses.read = counting(world.user_statuses.read)  # type: ignore[method-assign]
    calls.append(0)
    begun = erase(world)
    assert begun["status"] == "running"
    for _ in range(60):
        calls.append(0)
        world.clock.step(minutes=1)
        if world.relay.erase():
            break

    done = erasure(world, begun["id"])
    assert (done["status"], done["updatesErased"]) == ("succeeded", 2_500)
    assert len(calls) > 5
    assert max(calls) <= SLICE_CALLS + FOLLOWED_AT_ONCE
    assert sum(outcome.erased is not None for outcome, _ in world.outcomes.rows.values()) == 2_500
    assert {outcome.state for outcome, _ in world.outcomes.rows.values()} == {State.CANCELED}


@pytest.mark.exhaustive
def test_more_user_statuses_and_open_updates_than_fit_are_taken_in_later_rounds(world: World) -> None:
    """The row that remembers them is bounded, and nobody is forgotten for it."""
    many = MAX_USER_STATUSES + 5
    for n in range(many):
        world.accept(deviceComplianceUserStatusId=f"u{n}", userStatus=status(NAME))
        world.accept(deviceComplianceUserStatusId=f"u{n}", userStatus=status(None, 1))
    begun = erase(world)
    for _ in range(10):
        world.clock.step(minutes=1)
        world.relay.erase()
        (row,) = [row for row, _ in world.erasures.rows.values()]
        assert len(row.progress.keys) <= MAX_USER_STATUSES
        assert len(row.progress.followed) <= MAX_FOLLOWED
    world.run(3 * many)

    done = finished(world, begun)

    assert done["userStatusesErased"] == many
    assert done["updatesErased"] == 2 * many
    assert NAME not in stored(world)


def test_a_request_answers_within_seconds_however_slow_storage_is(world: World) -> None:
    """The timer does the rest."""
    lived(world)
    scan = world.user_statuses.scan

    def slow(*args: Any) -> Any:
        world.clock.step(seconds=3)
        return scan(*args)

    world.user_statuses.scan = slow  # type: ignore[method-assign]
    begun = erase(world)
    assert (begun["status"], begun["updatesErased"]) == ("running", 0)
    assert finished(world, begun)["updatesErased"] == 12
