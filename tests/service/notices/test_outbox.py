"""Each final update's notice goes out at least once, whatever path ended it and wherever a process died."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.service.delivery.deliver import Delivery
from shared.service.outcomes.outbox import MAX_AT_ONCE
from shared.service.ports.storage import Unavailable
from shared.wiring.services import Services
from tests.builders import NOW, reported
from tests.service.delivery.interleavings import Crash
from tests.service.delivery.interruptions import dying
from tests.service.lives import lived
from tests.service.mortal import Mortal
from tests.service.notices.receiving import WEBHOOK, ids, noticing
from tests.world import World

PORTS = ("queue", "notices", "outcomes", "user_statuses", "graph")


def settled(world: World) -> None:
    """Let another process do what is left."""
    world.clock.step(minutes=11)
    world.relay.reconcile()
    world.run(most=3000)
    world.clock.step(minutes=2)
    world.relay.outbox.sweep()
    world.send_notices()


def test_every_way_to_end_sends_one_notice() -> None:
    """Delivered, superseded, failed, canceled, unreadable, poisoned."""
    world = noticing()
    ended = lived(world)
    assert {world.outcome(update_id).state.status for update_id in ended} == {"succeeded", "failed", "canceled"}

    world.send_notices()

    assert ids(world) == ended
    assert not [outcome for outcome, _ in world.outcomes.rows.values() if outcome.notice_due is not None]


def test_an_expired_update_sends_one_notice() -> None:
    """It ends without a call."""
    world = noticing()
    update_id = world.accept(expiresDateTime=(NOW + timedelta(minutes=5)).isoformat().replace("+00:00", "Z"))
    world.clock.step(minutes=6)
    world.run()
    world.send_notices()
    assert ids(world) == [update_id]
    assert world.receivers["*"].events[0]["data"]["error"] == {"code": "expired"}


def test_a_source_without_a_destination_makes_no_notice_and_costs_nothing() -> None:
    """Its own destination comes before that of all sources."""
    world = noticing(json.dumps({"hr": WEBHOOK}))
    hers, nobodys = world.accept(source="hr"), world.accept(source="jamf")
    world.run()
    assert [document["id"] for document in world.notices.documents()] == [hers]
    assert world.outcome(nobodys).notice_due is None

    both = noticing(json.dumps({"hr": WEBHOOK, "*": WEBHOOK}))
    hers, others = both.accept(source="hr"), both.accept(source="jamf")
    both.run()
    both.send_notices()
    assert (ids(both, "hr"), ids(both)) == ([hers], [others])


def test_a_replay_of_an_ended_update_sends_no_second_notice_of_the_first() -> None:
    """The first one's row changes, its end does not."""
    world = noticing()
    world.graph.replies = [GraphReply(400, code="BadRequest", message="no")]
    first = world.accept()
    world.run()
    world.relay.replay(first, submitted_by=None)
    world.run()
    world.send_notices()
    assert ids(world).count(first) == 1
    assert len(ids(world)) == 2


def test_an_outbox_that_cannot_be_written_stops_no_delivery() -> None:
    """The mark stays, and the timer puts the notice, once it is a minute old."""
    world = noticing()
    whole, world.notices.put = world.notices.put, _unavailable  # type: ignore[method-assign, assignment]
    update_id = world.accept()
    world.run()
    assert world.outcome(update_id).state.status == "succeeded"
    world.notices.put = whole  # type: ignore[method-assign]

    assert world.relay.outbox.sweep() == 0
    world.clock.step(minutes=2)
    assert world.relay.outbox.sweep() == 1
    world.send_notices()
    assert ids(world) == [update_id]
    assert world.relay.outbox.sweep() == world.relay.outbox.sweep(everything=True) == 0


def test_a_crowd_that_ends_together_leaves_its_notices_to_the_timer() -> None:
    """So that a turn does not take long."""
    world = noticing()
    crowd = [world.accept(userStatus=reported("12:00:00")) for _ in range(MAX_AT_ONCE + 5)]
    world.deliver_next()
    assert len(world.notices.messages) < len(crowd)
    settled(world)
    assert ids(world) == sorted(crowd)


def succeed(world: World) -> None:
    world.run(most=3000)


def refuse(world: World) -> None:
    world.graph.refuse = lambda _: True
    world.run(most=3000)


def cancel(world: World) -> None:
    world.relay.cancel(max(world.outcomes.rows))
    world.run(most=3000)


def unreadable(world: World) -> None:
    world.relay.deliver(Delivery(b"{", "raw", NOW, 1))
    world.run(most=3000)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [succeed, refuse, cancel, unreadable])
def test_no_crash_loses_a_notice(act: Callable[[World], None], *, after: bool) -> None:
    """The process dies at its first call, its second, and so on; then another one goes on."""
    died, n = True, 0
    while died:
        n += 1
        world = noticing()
        world.accept(userStatus=reported("12:00:00"))
        world.accept(userStatus=reported("12:01:00", status="nonCompliant"))
        mortal = Mortal(n, after=after)
        whole, ports = world.relay, {name: mortal.port(getattr(world, name)) for name in PORTS}
        world.relay = Services(whole.settings, **(world.ports() | ports))
        try:
            act(world)
            died = False
        except Crash:
            died = True
        world.relay = whole
        if act is unreadable:
            unreadable(world)
        settled(world)

        assert set(ids(world)) == set(world.outcomes.rows), n
        assert not [outcome for outcome, _ in world.outcomes.rows.values() if outcome.notice_due], n
    assert n > 8


@pytest.mark.parametrize("method", ["put", "send"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_while_it_is_sent_sends_it_again(method: str, *, after: bool) -> None:
    """The message is still in the outbox: the receiver may get the notice twice, under the same id."""
    from shared.service.ports.notices import NotTaken
    from tests.service.delivery.interruptions import Died

    world = noticing()
    update_id = world.accept()
    world.run()
    if method == "put":
        world.receivers["*"].replies = [NotTaken("it answered 500")]
        dying(world, "notices", "put", after=after)
    else:
        receiver, world.receiver = world.receivers["*"], world.receivers["*"]  # type: ignore[attr-defined]
        dying(world, "receiver", "send", after=after)
        assert receiver is world.receiver  # type: ignore[attr-defined]
    with pytest.raises(Died):
        world.send_notices()
    world.send_notices()
    assert set(ids(world)) == {update_id}


def _unavailable(*_: object) -> None:
    raise Unavailable("queue: away")
