"""Erasures among crashes and other instances: every interleaving ends with nothing of the person and true counts."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.storage import Conflict, Unavailable
from shared.settings import Settings
from shared.wiring.services import Services
from tests.service.delivery.interleavings import Crash, Faults, Interrupted, Scheduler, SkewedClock
from tests.service.lives import HERS, NAME, erase, erasure, finished, in_api, lived, status, stored
from tests.service.mortal import Mortal
from tests.world import World

SETTINGS = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"})
STORES = ("outcomes", "user_statuses", "erasures", "queue")


def a_life() -> tuple[World, str]:
    """A person's outcomes, one of them not final yet; and who is replayed while the erasure runs."""
    world = World(SETTINGS)
    lived(world)
    world.graph.replies = [GraphReply(503, retry_after_seconds=90.0)]
    waiting = world.accept(deviceComplianceUserStatusId="ada-3", userStatus=status(NAME, 9))
    world.deliver_next()
    return world, waiting


@pytest.mark.exhaustive
@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after a call"])
def test_a_process_may_die_at_any_call(*, after: bool) -> None:
    """What comes next takes it up; every outcome and user status is counted once."""
    died, n = True, 0
    while died:
        n += 1
        world, waiting = a_life()
        mortal = Mortal(n, after=after)
        ports = {name: mortal.port(getattr(world, name)) for name in STORES}
        whole, dying = world.relay, Services(SETTINGS, **(world.ports() | ports))
        try:
            world.relay = dying
            erase(world)
            world.relay = whole
            world.run()
            world.clock.step(minutes=1)
            dying.erase()
            died = False
        except Crash:
            died = True
        world.relay = whole
        if not world.erasures.rows:  # the caller got no answer, and asks again
            erase(world)
        (erasure_id,) = world.erasures.rows
        world.run()

        done = finished(world, erasure(world, erasure_id))

        assert (done["status"], done["updatesErased"], done["userStatusesErased"]) == ("succeeded", 13, 2), n
        assert world.resource(waiting)["statusDetail"] == "delivered"
        assert NAME.lower() not in stored(world).lower()
    assert n > 40


def host(world: World, scheduler: Scheduler, name: str) -> Services:
    """One more instance over the same storage, which may be interrupted at every call."""
    ports = {port: Interrupted(getattr(world, port), scheduler, name) for port in (*STORES, "graph", "rate_limit")}
    return Services(SETTINGS, **(world.ports() | ports | {"clock": SkewedClock(world.clock, scheduler, name, 0)}))


def turns(world: World, relay: Services) -> Callable[[], None]:
    """Return a job that delivers up to 20 messages."""

    def job() -> None:
        for _ in range(20):
            message = world.queue.receive()
            if message is None:
                continue
            try:
                relay.deliver(message.delivery())
            except (Unavailable, Conflict):
                continue
            if message in world.queue.messages:
                world.queue.delete(message)

    return job


def slices(_world: World, relay: Services) -> Callable[[], None]:
    """Return a job that works on the open erasures three times."""

    def job() -> None:
        for _ in range(3):
            relay.erase()

    return job


@pytest.mark.exhaustive
@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    before=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=8),
    meanwhile=st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=5),
    crashes=st.integers(0, 3),
)
def test_every_interleaving_of_turns_and_erasures_ends_the_same(
    seed: int, before: list[tuple[int, bool]], meanwhile: list[tuple[int, bool]], crashes: int
) -> None:
    """Two instances deliver while two work on the erasure: what was there goes, what came later stands."""
    chance = random.Random(seed)
    world = World(SETTINGS)
    old = [
        world.accept(deviceComplianceUserStatusId=f"u{user}", userStatus=status(NAME if named else None, n))
        for n, (user, named) in enumerate(before)
    ]
    for _ in range(chance.randrange(len(old) + 1)):
        world.deliver_next()
    theirs = {f"u{user}" for user, named in before if named}
    # A later report that names the person tells whose the earlier ones were, if the erasure meets it in time.
    perhaps = theirs | {f"u{user}" for user, named in meanwhile if named}
    begun = erase(world)
    world.clock.step(seconds=1)
    new = [
        world.accept(deviceComplianceUserStatusId=f"u{user}", userStatus=status(NAME if named else None, 20 + n))
        for n, (user, named) in enumerate(meanwhile)
    ]

    scheduler = Scheduler(chance, Faults(crashes))
    jobs = {"t1": turns, "t2": turns, "e1": slices, "e2": slices}
    scheduler.run({name: job(world, host(world, scheduler, name)) for name, job in jobs.items()})
    world.run(400)
    done = finished(world, begun)

    every = {f"u{user}" for user, _ in (*before, *meanwhile)}
    for update_id, (user, _) in zip(old, before, strict=True):
        outcome = world.outcome(update_id)
        assert outcome.state.final
        assert f"u{user}" in (perhaps if outcome.erased is not None else every - theirs)
    assert all(world.outcome(update_id).state.final and world.outcome(update_id).erased is None for update_id in new)
    assert done["status"] == "succeeded"
    assert done["updatesErased"] == sum(world.outcome(update_id).erased is not None for update_id in old)
    assert done["userStatusesErased"] <= len(perhaps)
    for user in theirs:
        for states in in_api(world, user)["properties"].values():
            confirmed = states["confirmed"]
            assert (confirmed["value"] is not None) == (confirmed["updateId"] in new)


def test_two_slices_at_the_same_time_do_no_harm() -> None:
    """The slower one finds the row changed and stops."""
    world, _ = a_life()
    begun = erase(world)
    replace = world.erasures.replace

    def overtaken(row: Any, etag: str) -> str:
        world.erasures.replace = replace  # type: ignore[method-assign]
        world.relay.erase()
        return replace(row, etag)

    world.clock.step(minutes=2)
    world.erasures.replace = overtaken  # type: ignore[method-assign]
    world.relay.erase()
    world.run()
    assert finished(world, begun)["updatesErased"] == 13
    assert in_api(world, HERS)["properties"]["devicesCount"]["confirmed"]["value"] is None
