"""Reading a policy's list of user statuses: how often, how far, and what its faults mean."""

from threading import Event, Thread

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import State
from tests.builders import POLICY, USER, reported
from tests.service.delivery.interruptions import hooked
from tests.service.delivery.named import NAME, code, named, with_users
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    """A policy of five users, three pages long."""
    return with_users(world)


def test_many_unknown_users_cost_one_list_a_while_and_known_ones_none(world: World) -> None:
    """A thousand of them do not read a thousand lists."""
    world.graph.users[POLICY] = world.graph.users[POLICY][:2]
    for n in range(1000):
        world.accept(**named(f"nobody{n}@contoso.example"))
    while world.deliver_next():
        pass
    assert len(world.graph.lists) == 1

    world.queue.messages.clear()
    world.clock.step(seconds=60)
    world.accept(**named("user0@contoso.example"))
    world.run()
    assert len(world.graph.lists) == 1
    world.accept(**named("nobody@contoso.example"))
    world.deliver_next()
    assert len(world.graph.lists) == 2


def test_a_list_expires(world: World) -> None:
    """What was found minutes ago is looked up again."""
    world.accept(**named())
    world.run()
    world.clock.step(minutes=6)
    world.graph.users[POLICY] = [("new", NAME)]
    update_id = world.accept(**named(userStatus=reported("20:35:00")))
    world.run()
    assert world.resource(update_id)["deviceComplianceUserStatusId"] == "new"


@pytest.mark.parametrize("status", [400, 500, 501])
def test_a_list_that_refuses_a_selection_is_read_whole(world: World, status: int) -> None:
    """It is asked once without it, and that is remembered."""
    world.graph.select_reply = GraphReply(status)
    update_id = world.accept(**named(userStatus=reported("20:20:00")))
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert [link for _, link, _ in world.graph.lists] == [None, None, "from-2", "from-4"]

    world.clock.step(minutes=6)
    world.accept(**named(userStatus=reported("20:40:00")))
    world.run()
    assert [link for _, link, _ in world.graph.lists][4:] == [None, "from-2", "from-4"]


def test_a_list_that_fails_anyway_is_asked_for_with_a_selection_again(world: World) -> None:
    """A 500 has many causes."""
    world.graph.list_replies = [GraphReply(500)] * 2
    world.graph.select_reply = GraphReply(500)
    world.accept(**named())
    world.deliver_next()
    world.graph.select_reply = None
    world.run()
    assert world.in_graph()


def test_a_list_in_a_circle_is_a_failed_read_of_few_pages(world: World) -> None:
    """It shows as an attempt, so that the deadline counts: one update cost 1,030 reads and outlived its own."""
    page = GraphReply(200, result={"value": [{"id": "x", "userPrincipalName": "x"}], "@odata.nextLink": "from-0"})
    world.graph.list_replies = [page] * 1000
    update_id = world.accept(**named())
    world.deliver_next()
    waiting = world.resource(update_id)
    assert (waiting["statusDetail"], waiting["error"]["code"]) == ("waiting", "graphUnavailable")
    assert "circle" in waiting["error"]["message"]
    assert waiting["attemptCount"] == 1
    assert len(world.graph.lists) == 2
    world.run(most=2000)
    assert code(world, update_id) == "deadlineExceeded"


def test_a_long_list_is_read_over_several_turns(world: World) -> None:
    """No turn reads more than its share."""
    world.graph.page_size = 1
    world.graph.users[POLICY] = [(f"u{n}", f"user{n}@contoso.example") for n in range(120)] + [(USER, NAME)]
    update_id = world.accept(**named())
    world.deliver_next()
    assert len(world.graph.lists) == 50
    assert world.outcome(update_id).state is State.QUEUED
    world.run()
    assert len(world.graph.lists) == 121
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_list_without_end_is_given_up(world: World) -> None:
    """A policy that is too large fails by name, and its list is not kept."""
    world.graph.page_size = 1
    world.graph.list_replies = [
        GraphReply(
            200,
            result={
                "value": [{"id": f"{page}-{n}", "userPrincipalName": "x"} for n in range(30_000)],
                "@odata.nextLink": f"from-{page}",
            },
        )
        for page in range(10)
    ]
    update_id = world.accept(**named())
    world.run()
    assert code(world, update_id) == "userStatusNotFound"
    assert "100000" in world.resource(update_id)["error"]["message"]
    assert len(world.graph.lists) == 4


def test_one_thread_reads_a_policy_and_the_others_wait_for_it(world: World) -> None:
    """They are answered from what it read."""
    directories = world.relay.deliver.resolve.directories
    listing, go, answers = Event(), Event(), []

    def read() -> None:
        answers.append(directories.find(POLICY, NAME))

    hooked(world, "graph", "list_user_statuses", lambda: (listing.set(), go.wait(20)), before=True)  # type: ignore[arg-type,return-value]
    threads = [Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert listing.wait(20)
    go.set()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert len(world.graph.lists) == 3


def test_few_policies_are_kept(world: World) -> None:
    """Memory is bounded, whatever policies are named: the one that was asked for longest ago goes."""
    directories = world.relay.deliver.resolve.directories
    for n in (*range(51), 50, 0):
        directories.find(f"{n:08}-6a0d-4c58-9b7e-0d5b6d1c9a11", NAME)
    assert len(world.graph.lists) == 52
