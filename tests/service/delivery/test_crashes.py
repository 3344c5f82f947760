"""A process may die right before or right after any call to storage or Graph: the next one goes on from there.

Each story is played with a death at its first call, its second, and so on until it comes to its end alive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.delivery.reply_kind import TransportFault
from shared.service.delivery.lease import FIRST_READ
from shared.service.diagnosis.doctor import WRITE, ProbeTarget
from shared.wiring.services import Services
from tests.builders import POLICY, USER, reported
from tests.fakes.graph import LateLanding
from tests.service.delivery.interleavings import SETTINGS, Crash, finish
from tests.service.mortal import Mortal
from tests.world import World

PORTS = ("queue", "outcomes", "user_statuses", "idempotency_keys", "graph")
LATE = LateLanding(GraphReply(None, TransportFault.TIMEOUT), 3)


def older(world: World) -> str:
    """Accept a report."""
    return world.accept(userStatus=reported("12:00:00"))


def newer(world: World) -> str:
    """Accept a newer report, of another status."""
    return world.accept(userStatus=reported("12:01:00", status="nonCompliant"))


@dataclass(frozen=True)
class Story:
    """What is there before, what the dying process does, and what Graph shows in the end.

    ``states`` are those that the last update may end in, each with the status that Graph shows then.
    """

    before: Callable[[World], None]
    act: Callable[[World], None]
    states: dict[State, str]


def delivered_before(world: World) -> None:
    older(world)
    world.run(most=3000)


def both_wait(world: World) -> None:
    older(world)
    newer(world)


def a_crowd_waits(world: World) -> None:
    """More acceptances than are read along with the row."""
    for _ in range(FIRST_READ + 21):
        older(world)
    newer(world)


def may_have_landed(world: World) -> None:
    """The older value is confirmed, a newer one timed out and landed; its lease is over."""
    delivered_before(world)
    world.graph.replies = [LATE]
    newer(world)
    world.deliver_next()
    world.clock.step(minutes=2)


def one_turn(world: World) -> None:
    world.deliver_next()


def replies(*script: GraphReply | LateLanding) -> Callable[[World], None]:
    def act(world: World) -> None:
        world.graph.replies = list(script)
        world.run(most=3000)

    return act


def refuse_the_newest(world: World) -> None:
    world.graph.refuse = lambda properties: properties["status"] == "nonCompliant"
    world.run(most=3000)


def pass_the_deadline(world: World) -> None:
    world.clock.step(hours=25)
    world.run(most=3000)


def cancel_the_last(world: World) -> None:
    world.relay.cancel(max(world.outcomes.rows))
    world.run(most=3000)


def accept_and_deliver(world: World) -> None:
    newer(world)
    world.run(most=3000)


def probe(world: World) -> None:
    world.relay.diagnose.checks(ProbeTarget(POLICY, USER))[WRITE]()


NEWER = {State.DELIVERED: "nonCompliant"}
STORIES = {
    "accept and deliver": Story(delivered_before, accept_and_deliver, NEWER),
    "two wait": Story(both_wait, replies(), NEWER),
    "a crowd waits": Story(a_crowd_waits, one_turn, NEWER),
    "wait and try again": Story(both_wait, replies(GraphReply(503), GraphReply(429)), NEWER),
    "a silent answer": Story(both_wait, replies(LATE), NEWER),
    "a refused newest": Story(both_wait, refuse_the_newest, {State.FAILED: "compliant"}),
    "a deadline with a value to restore": Story(may_have_landed, pass_the_deadline, {State.FAILED: "compliant"}),
    "a cancel with a value to restore": Story(may_have_landed, cancel_the_last, {State.CANCELED: "compliant", **NEWER}),
    "a cancel of what waits": Story(both_wait, cancel_the_last, {State.CANCELED: "compliant", **NEWER}),
    "the doctor's probe": Story(delivered_before, probe, {State.DELIVERED: "compliant"}),
}


def play(story: Story, n: int, *, after: bool) -> tuple[World, bool]:
    """Play a story whose process dies at its n-th call; return the world afterwards, and whether it died."""
    world = World(SETTINGS)
    story.before(world)
    mortal = Mortal(n, after=after)
    whole, ports = world.relay, {name: mortal.port(getattr(world, name)) for name in PORTS}
    world.relay = Services(SETTINGS, **(world.ports() | ports))
    try:
        story.act(world)
        died = False
    except Crash:
        died = True
    world.relay = whole
    finish(world)
    return world, died


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", STORIES)
def test_the_next_process_goes_on_wherever_one_died(name: str, *, after: bool) -> None:
    """Every update is final, the newest value that succeeded stands, and nothing goes out twice beside another."""
    story, died, n = STORIES[name], True, 0
    while died:
        n += 1
        world, died = play(story, n, after=after)
        outcomes = [outcome for outcome, _ in world.outcomes.rows.values()]
        last = max(outcomes, key=lambda outcome: outcome.id)

        assert all(outcome.state.final for outcome in outcomes), n
        if last.update is not None and last.update.properties()["status"] == "nonCompliant":
            assert world.in_graph()["status"] == story.states[last.state], n
        assert all(row.leased_at(world.clock.now() + timedelta(minutes=1)) is None for row in rows(world)), n
    assert n > 4


def rows(world: World) -> list:
    """Return the rows of all user statuses."""
    return [row for row, _ in world.user_statuses.rows.values()]
