"""The filters of lists and of replays: by what an update has; what no update can have is refused."""

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind
from tests.web.caller import ask, problem
from tests.world import World


@pytest.mark.parametrize(
    "query",
    [
        {"source": "a b"},
        {"errorCode": "graphRejectd"},
        {"deviceCompliancePolicyId": "3f1c2a4e"},
        {"deviceComplianceUserStatusId": ".."},
        {"idempotencyKey": "k" * 256},
        {"createdAfter": "2026-11-23T10:00:00Z", "createdBefore": "2026-11-23T10:00:00Z"},
    ],
)
def test_a_filter_that_can_match_nothing_is_a_mistake(world: World, query: dict[str, str]) -> None:
    """An operator who mistypes an id must not read an empty list as good news."""
    assert problem(ask(world.relay.updates.list_updates, params=query)[0]) == (400, "invalidQuery")
    assert problem(ask(world.relay.updates.replay_updates, "POST", query)[0]) == (400, "invalidMessage")


def test_the_list_and_a_replay_are_filtered_by_error_code(world: World) -> None:
    """An operator replays what one fault has stopped, and nothing else."""
    world.graph.replies = [GraphReply(400, judged=kind) for kind in (ReplyKind.ROUTE_MISSING, ReplyKind.REFUSED)]
    by_code = {
        code: world.accept(deviceComplianceUserStatusId=code) for code in ("operationNotSupported", "graphRejected")
    }
    world.run()

    for code, update_id in by_code.items():
        assert [
            update["id"] for update in ask(world.relay.updates.list_updates, params={"errorCode": code})[1]["value"]
        ] == [update_id]
    response, counts = ask(world.relay.updates.replay_updates, "POST", {"errorCode": "graphRejected"})
    assert (response.status_code, counts["matched"]) == (202, 1)
    assert [document["replayOf"] for document in world.queue.documents()] == [by_code["graphRejected"]]
