"""Verification: what Graph's list shows some time after success, and when it says nothing."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from shared.core.intake.update import user_status_key
from shared.service.ports.storage import Unavailable
from shared.settings import Settings
from tests.builders import POLICY, reported
from tests.service.maintenance.verified import delivered, reverted, states, swept, verifying
from tests.web.caller import ask
from tests.world import World


@pytest.fixture
def world() -> World:
    """A relay that verifies after a minute."""
    return verifying()


def test_exactly_the_reverted_ones_are_overwritten(world: World) -> None:
    """With one list for the policy and no write."""
    ids = delivered(world, "a", "b", "c")
    writes = len(world.graph.calls)
    stamps = world.rate_limit.pacing.stamps
    reverted(world, "b")
    assert swept(world) == 3
    assert states(world, ids) == ["confirmed", "overwritten", "confirmed"]
    assert world.resource(ids[0])["verification"]["checkedDateTime"].startswith("2026-11-23T20:31:")
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2"]
    assert len(world.graph.calls) == writes
    assert world.rate_limit.pacing.stamps == stamps
    assert {world.outcome(update_id).state for update_id in ids} == {State.DELIVERED}


def test_nothing_is_read_before_its_time_nor_twice(world: World) -> None:
    """A verdict never changes."""
    ids = delivered(world, "a")
    assert swept(world, seconds=58) == 0
    assert not world.graph.lists
    assert swept(world, seconds=3) == 1
    reverted(world, "a")
    assert swept(world) == 0
    assert states(world, ids) == ["confirmed"]


def test_a_newer_update_of_the_relay_is_no_recalculation(world: World) -> None:
    """The older one's values were replaced by ours; what it wrote last is still judged."""
    older = delivered(world, "a", **reported("20:00:00", devicesCount=3))
    newer = delivered(world, "a", **reported("20:10:00", status="error"))
    assert swept(world) == 2
    assert states(world, older + newer) == ["confirmed", "confirmed"]

    older = delivered(world, "b", **reported("20:00:00", devicesCount=3))
    newer = delivered(world, "b", **reported("20:10:00", status="error"))
    reverted(world, "b", devicesCount=9)
    swept(world)
    assert states(world, older + newer) == ["overwritten", "confirmed"]


def test_a_write_under_way_puts_the_verdict_off(world: World) -> None:
    """Its call may have landed already: for a minute nothing is judged, then it is unknown."""
    ids = delivered(world, "a")
    world.graph.replies = [GraphReply(None)]
    world.accept(deviceComplianceUserStatusId="a", userStatus={"status": "error", "devicesCount": 1})
    world.deliver_next()
    reverted(world, "a", status="error", devicesCount=1)
    row = world.user_statuses.read(user_status_key(POLICY, "a")).row
    assert row is not None
    assert row.uncertain == {"status", "devicesCount"}
    assert swept(world) == 0
    assert swept(world) == 1
    assert states(world, ids) == ["unknown"]


def test_a_user_status_that_the_list_lacks_is_unknown(world: World) -> None:
    """At once: the list was read whole."""
    ids = delivered(world, "a", "b")
    world.graph.users[POLICY].pop(0)
    assert swept(world) == 2
    assert states(world, ids) == ["unknown", "confirmed"]


def test_an_erased_update_is_unknown(world: World) -> None:
    """What is gone cannot be compared, and nothing of it is read."""
    (update_id,) = delivered(world, "a", status="compliant", userPrincipalName="a@contoso.example")
    ask(world.relay.erasures.post_erasure, "POST", {"userPrincipalName": "a@contoso.example"})
    for _ in range(5):
        world.relay.erase()
    assert world.outcome(update_id).update is None
    assert swept(world) == 1
    assert states(world, [update_id]) == ["unknown"]
    assert not world.graph.lists


def test_what_storage_did_not_take_is_due_again(world: World) -> None:
    """The sweep ends with the fault."""
    ids = delivered(world, "a")
    replace_all = world.outcomes.replace_all

    def down(*_: Any) -> None:
        raise Unavailable("table")

    world.outcomes.replace_all = down  # type: ignore[assignment, method-assign]
    with pytest.raises(Unavailable):
        swept(world)
    world.outcomes.replace_all = replace_all  # type: ignore[method-assign]
    assert swept(world) == 1
    assert states(world, ids) == ["confirmed"]


def test_what_was_delivered_long_after_its_acceptance_is_found_by_the_nightly_sweep(world: World) -> None:
    """The other sweeps look back as far as the deadline."""
    world.graph.users[POLICY] = [("a", "a@contoso.example")]
    update_id = world.accept(deviceComplianceUserStatusId="a")
    world.clock.step(days=3)
    world.run()
    assert swept(world) == 0
    assert world.relay.verify(everything=True) == 1
    assert states(world, [update_id]) == ["confirmed"]


def test_verdicts_are_counted_and_the_deliveries_are_not_counted_again(world: World) -> None:
    """In the statistics of the last 24 hours."""
    delivered(world, "a", "b", "c")
    reverted(world, "b")
    world.graph.users[POLICY].pop()
    swept(world)
    _, body = ask(world.relay.stats.get_stats)
    assert body["verification"] == {"confirmed": 1, "overwritten": 1, "unknown": 1}
    assert body["last24Hours"]["byStatusDetail"]["delivered"] == 3
    world.clock.step(hours=25)
    assert ask(world.relay.stats.get_stats)[1]["verification"] == {"confirmed": 0, "overwritten": 0, "unknown": 0}


def test_without_the_setting_nothing_is_marked_and_nothing_is_read() -> None:
    """Not one call of storage or Graph more."""
    world = World(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))
    ids = delivered(world, "a")

    def never(*_: Any) -> None:
        raise AssertionError

    world.outcomes.scan = never  # type: ignore[assignment, method-assign]
    assert world.relay.verify() == 0
    assert world.relay.verify(everything=True) == 0
    assert world.outcome(ids[0]).verify_at is None
    assert states(world, ids) == [None]
    assert not world.graph.lists


def test_only_a_delivered_update_is_verified(world: World) -> None:
    """Superseded, failed and canceled ones wrote nothing that could stand."""
    newer = delivered(world, "a", **reported("20:10:00"))
    older = delivered(world, "a", **reported("20:00:00"))
    world.graph.replies = [GraphReply(400, code="BadRequest", message="no")]
    failed = delivered(world, "b")
    assert swept(world) == 1
    assert states(world, newer + older + failed) == ["confirmed", None, None]
    assert timedelta(seconds=60) == world.relay.settings.verify_after
