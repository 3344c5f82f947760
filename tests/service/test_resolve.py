"""Updates that name their user by principal name, through the wired app."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.reply_kind import ReplyKind
from shared.service.delivery.cancel import TooLate
from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import OutcomeFilter, Unavailable
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import NOW, POLICY, USER, a_message, reported
from tests.web.caller import ask, route_of
from tests.world import World

NAME = "A.User@contoso.example"
OTHER_POLICY = "4f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"


@pytest.fixture
def world(world: World) -> World:
    """A policy of five users, three pages long."""
    world.graph.users[POLICY] = [(f"u{n}", f"user{n}@contoso.example") for n in range(4)] + [(USER, NAME.lower())]
    return world


def named(name: str = NAME, **changes: Any) -> dict[str, Any]:
    """A message that names its user."""
    return {"deviceComplianceUserStatusId": None, "userPrincipalName": name} | changes


def code(world: World, update_id: str) -> str:
    """The error's code."""
    return str(world.resource(update_id)["error"]["code"])


def test_a_named_user_is_found_in_the_policys_list_and_written(world: World) -> None:
    """In either case, over as many pages as it takes, for no write of the quota."""
    update_id = world.accept(**named())
    assert world.resource(update_id)["deviceComplianceUserStatusId"] is None
    assert world.resource(update_id)["userPrincipalName"] == NAME

    world.run()

    done = world.resource(update_id)
    assert (done["statusDetail"], done["deviceComplianceUserStatusId"]) == ("delivered", USER)
    assert done["attemptCount"] == 1
    assert [call.user_status_id for call in world.graph.calls] == [USER]
    assert [link for _, link, _ in world.graph.lists] == [None, "from-2", "from-4"]
    assert len(world.rate_limit.pacing.stamps) == 1
    assert not any(world.user_statuses.accepted.values())


def test_once_resolved_it_is_found_by_its_user_status(world: World) -> None:
    """In lists, and in the user status's own state while it waits."""
    world.graph.replies = [GraphReply(503, retry_after_seconds=30.0)]
    update_id = world.accept(**named())
    world.deliver_next()

    page = world.outcomes.list(OutcomeFilter(device_compliance_user_status_id=USER), 10)
    _, state = ask(world.relay.user_statuses.get_user_status, route_params=route_of(POLICY, USER))

    assert [one.id for one in page.outcomes] == [update_id]
    assert {one["waiting"]["updateId"] for one in state["properties"].values()} == {update_id}


def test_an_unknown_user_fails_after_ten_minutes(world: World) -> None:
    """It waits with that code from the first look on, and is looked for a few times; nothing is sent."""
    update_id = world.accept(**named("nobody@contoso.example"))
    world.deliver_next()
    assert world.outcome(update_id).state is State.WAITING
    assert code(world, update_id) == "userStatusNotFound"
    assert "5 user statuses" in world.resource(update_id)["error"]["message"]

    world.relay = Services(world.relay.settings, **world.ports())  # another instance goes on
    world.run()
    assert world.outcome(update_id).state is State.FAILED
    assert code(world, update_id) == "userStatusNotFound"
    assert world.outcome(update_id).last_action - NOW == timedelta(minutes=10)
    assert 3 <= len(world.graph.lists) / 3 <= 8
    assert not world.graph.calls


def test_a_user_that_appears_late_is_written(world: World) -> None:
    """New ones do, and lists were seen with entries missing."""
    update_id = world.accept(**named("late@contoso.example"))
    world.deliver_next()
    world.graph.users[POLICY].append(("late", "late@contoso.example"))
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert world.clock.now() - NOW < timedelta(minutes=10)


@pytest.mark.parametrize("status", [400, 500, 501])
def test_a_list_that_refuses_a_selection_is_read_whole(world: World, status: int) -> None:
    """It is asked once without it, and that is remembered."""
    world.graph.select_reply = GraphReply(status)
    update_id = world.accept(**named())
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


def test_a_name_that_two_user_statuses_have_fails(world: World) -> None:
    """Both are told, none is written."""
    world.graph.users[POLICY].append(("twin", NAME))
    update_id = world.accept(**named())
    world.run()
    assert code(world, update_id) == "userStatusAmbiguous"
    assert f"{USER}, twin" in world.resource(update_id)["error"]["message"]
    assert not world.graph.calls


def test_a_list_that_tells_an_id_twice_is_not_ambiguous(world: World) -> None:
    """A list shifts while it is read."""
    world.graph.users[POLICY].append((USER, NAME))
    update_id = world.accept(**named())
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


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


def test_the_versions_of_named_updates_count_as_any(world: World) -> None:
    """An older report by name never overwrites a newer one by id."""
    newer = world.accept(userStatus=reported("12:00:00", status="nonCompliant"))
    world.run()
    older = world.accept(**named(userStatus=reported("11:00:00", status="compliant")))
    world.run()

    assert world.outcome(older).superseded_by == newer
    assert world.in_graph()["status"] == "nonCompliant"
    assert len(world.graph.calls) == 1


def test_updates_by_name_that_wait_together_cost_one_write(world: World) -> None:
    """Once known, each is carried by whoever's turn it is."""
    world.graph.replies = [GraphReply(None, TransportFault.TIMEOUT)]
    ids = [world.accept(**named(userStatus=reported(f"12:00:{n:02}", devicesCount=n))) for n in range(20)]

    world.run(most=1000)

    assert len(world.graph.calls) == 2
    assert world.in_graph()["devicesCount"] == 19
    assert Counter(world.outcome(one).state for one in ids) == {State.SUPERSEDED: 19, State.DELIVERED: 1}


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (GraphReply(503), "graphUnavailable"),
        (GraphReply(429), "throttled"),
        (GraphReply(403), "notAuthorized"),
        (GraphReply(None, TransportFault.TIMEOUT), "graphUnavailable"),
        (GraphReply(200, result={"x": 1}), "graphUnavailable"),
        (GraphReply(404, judged=ReplyKind.FOREIGN), "graphUnavailable"),
        (GraphReply(400, judged=ReplyKind.LICENCE_MISSING), "notAuthorized"),
        (GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS), "graphUnavailable"),
        (GraphReply(200, result={"value": [], "@odata.nextLink": 7}), "graphUnavailable"),
    ],
)
def test_a_list_that_cannot_be_read_now_makes_the_update_wait(world: World, reply: GraphReply, told: str) -> None:
    """It shows as an attempt; the next attempt is a message of its own."""
    world.graph.list_replies = [reply]
    update_id = world.accept(**named())

    world.deliver_next()

    waiting = world.resource(update_id)
    assert (waiting["statusDetail"], waiting["error"]["code"]) == ("waiting", told)
    assert [one["statusCode"] for one in waiting["attempts"]] == [reply.status_code]
    assert world.queue.documents()[0]["attempt"] == 2
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_retry_after_of_a_list_holds_everyone(world: World) -> None:
    """Writes and other lists too."""
    world.graph.list_replies = [GraphReply(429, retry_after_seconds=300.0)]
    first = world.accept(**named())
    world.deliver_next()
    second = world.accept(**named(deviceCompliancePolicyId=OTHER_POLICY))
    by_id = world.accept(deviceComplianceUserStatusId="u1")
    world.deliver_next()
    world.deliver_next()

    assert len(world.graph.lists) == 1
    assert not world.graph.calls
    assert [world.outcome(one).attempt_count for one in (first, second, by_id)] == [1, 0, 0]
    world.run()
    assert min(call.at for call in world.graph.calls) >= NOW + timedelta(seconds=300)


def test_a_fault_is_shared_for_a_while(world: World) -> None:
    """A hundred updates of a policy that fails do not ask a hundred times; only who asked was tried."""
    world.graph.list_replies = [GraphReply(503)] * 5
    ids = [world.accept(**named()) for _ in range(100)]
    for _ in range(100):
        world.deliver_next()
    assert len(world.graph.lists) == 1
    assert sum(world.outcome(one).attempt_count for one in ids) == 1
    assert {code(world, one) for one in ids} == {"graphUnavailable"}


def test_a_list_that_goes_on_failing_is_read_ever_more_rarely(world: World) -> None:
    """Whoever asks, and however often."""
    directories = world.relay.deliver.resolve.directories
    world.graph.list_replies = [GraphReply(503)] * 100
    for _ in range(600):
        directories.find(POLICY, NAME)
        world.clock.step(seconds=0.1)
    assert len(world.graph.lists) == 7


def test_a_401_gets_one_new_token(world: World) -> None:
    """As a write does."""
    world.graph.list_replies = [GraphReply(401)]
    update_id = world.accept(**named())
    world.run()
    assert [token for _, _, token in world.graph.lists][:2] == ["token-1", "token-2"]
    assert world.outcome(update_id).state is State.DELIVERED


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (GraphReply(404, message="no such policy"), "userStatusNotFound"),
        (GraphReply(400, message="bad"), "graphRejected"),
        (GraphReply(400, judged=ReplyKind.ROUTE_MISSING), "operationNotSupported"),
    ],
)
def test_a_list_that_is_refused_for_good_fails_the_update(world: World, reply: GraphReply, told: str) -> None:
    """In Graph's own words."""
    world.graph.list_replies = [reply] * 2  # with a selection, and without
    update_id = world.accept(**named())
    world.run()
    assert code(world, update_id) == told
    assert world.resource(update_id)["error"]["innerError"]["statusCode"] == reply.status_code
    if reply.message:
        assert reply.message in world.resource(update_id)["error"]["message"]


def test_without_a_token_it_waits_however_long(world: World) -> None:
    """Nothing was tried."""
    world.identity.fault = "away"
    update_id = world.accept(**named())
    for _ in range(4):
        world.deliver_next()
        world.clock.step(hours=9)
    assert code(world, update_id) == "identityUnavailable"
    assert world.outcome(update_id).attempt_count == 0
    world.identity.fault = None
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_a_list_that_fails_until_the_deadline_fails_the_update(world: World) -> None:
    """It was tried."""
    world.graph.list_replies = [GraphReply(503, message="busy")] * 1000
    update_id = world.accept(**named())
    world.run(most=2000)
    assert code(world, update_id) == "deadlineExceeded"
    assert world.resource(update_id)["error"]["innerError"]["statusCode"] == 503
    assert world.outcome(update_id).last_action - NOW >= timedelta(hours=24)


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


def test_the_first_resolution_stands_for_all_attempts(world: World) -> None:
    """Also when the name means another user status by the next one; a replay resolves anew."""
    world.graph.replies = [GraphReply(503), GraphReply(404)]
    update_id = world.accept(**named())
    world.deliver_next()
    world.graph.users[POLICY] = [("recreated", NAME)]
    world.clock.step(minutes=10)
    world.run()
    assert code(world, update_id) == "graphRejected"
    assert [call.user_status_id for call in world.graph.calls] == [USER, USER]

    replay = world.relay.updates.replay(update_id, submitted_by=None)
    assert isinstance(replay, Outcome)
    world.run()
    assert world.resource(replay.id)["deviceComplianceUserStatusId"] == "recreated"
    assert world.outcome(replay.id).state is State.DELIVERED


def test_a_replay_of_an_unknown_user_resolves_again(world: World) -> None:
    """With its original's version."""
    update_id = world.accept(**named("late@contoso.example", userStatus=reported("11:00:00", status="compliant")))
    world.run()
    world.graph.users[POLICY].append(("late", "late@contoso.example"))
    newer = world.accept(deviceComplianceUserStatusId="late", userStatus=reported("12:00:00", status="nonCompliant"))
    world.run()
    world.clock.step(seconds=20)

    replay = world.relay.updates.replay(update_id, submitted_by=None)
    assert isinstance(replay, Outcome)
    world.run()

    assert world.outcome(replay.id).superseded_by == newer
    assert world.in_graph(user="late")["status"] == "nonCompliant"


def test_two_hosts_that_resolve_differently_agree(world: World) -> None:
    """The outcome's compare-and-swap decides; nothing is left with the other user status."""
    update_id = world.accept(**named())
    text = world.queue.messages[0].text
    other = another_instance(world)
    other.deliver.resolve.directories.find(POLICY, NAME)
    world.graph.users[POLICY] = [("new", NAME)]
    duplicate = Delivery(text.encode(), "duplicate", NOW, 1)
    hooked(world, "graph", "list_user_statuses", lambda: other.deliver(duplicate))

    world.run()

    assert [call.user_status_id for call in world.graph.calls] == [USER]
    assert world.resource(update_id)["deviceComplianceUserStatusId"] == USER
    assert world.outcome(update_id).state is State.DELIVERED
    assert not any(world.user_statuses.accepted.values())


def another_instance(world: World) -> Services:
    """Over the same storage."""
    return Services(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}), **world.ports())


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("port", "method"),
    [
        ("graph", "list_user_statuses"),
        ("outcomes", "replace"),
        ("user_statuses", "register"),
        ("user_statuses", "commit"),
        ("graph", "patch_user_status"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_death_before_or_after_any_line_loses_nothing(world: World, port: str, method: str, after: bool) -> None:
    """The message comes back, and means the same user status."""
    update_id = world.accept(**named())
    dying(world, port, method, after=after)
    with pytest.raises(Died):
        world.deliver_next()
    if after and method == "replace":
        world.graph.users[POLICY] = [("other", NAME)]
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    assert {call.user_status_id for call in world.graph.calls} == {USER}
    assert not any(world.user_statuses.accepted.values())


def dying(world: World, port: str, method: str, *, after: bool) -> None:
    """Let the next call of that method be the last one."""
    twin = getattr(world, port)
    inner = getattr(twin, method)

    def die(*args: Any, **kwargs: Any) -> Any:
        setattr(twin, method, inner)
        if after:
            inner(*args, **kwargs)
        raise Died

    setattr(twin, method, die)


def test_a_foreign_message_may_name_its_user(world: World) -> None:
    """Also one whose first turn died."""
    message = {name: value for name, value in a_message(**named()).items() if value is not None}
    world.queue.put(json.dumps(message))
    dying(world, "outcomes", "insert", after=True)
    with pytest.raises(Died):
        world.deliver_next()
    world.run()
    assert [one.state for one, _ in world.outcomes.rows.values()] == [State.DELIVERED]
    assert len(world.graph.calls) == 1


def test_the_same_key_makes_one_update(world: World) -> None:
    """The name is part of the payload."""
    first = world.accept(**named(idempotencyKey="k"))
    assert world.accept(**named(idempotencyKey="k")) == first
    world.run()
    assert len(world.graph.calls) == 1


def test_an_update_that_is_not_resolved_yet_is_canceled(world: World) -> None:
    """Nothing is looked up or sent."""
    update_id = world.accept(**named())
    assert isinstance(world.relay.updates.cancel(update_id), Outcome)
    world.run()
    assert world.outcome(update_id).state is State.CANCELED
    assert not world.graph.lists


def hooked(world: World, port: str, method: str, then: Callable[[], None], *, before: bool = False) -> None:
    """Let something happen right after (or before) the next call of that method."""
    twin = getattr(world, port)
    inner = getattr(twin, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        setattr(twin, method, inner)
        if before:
            then()
        answer = inner(*args, **kwargs)
        if not before:
            then()
        return answer

    setattr(twin, method, call)


@pytest.mark.parametrize(
    ("port", "method", "before"),
    [
        ("graph", "list_user_statuses", False),
        ("outcomes", "replace", True),
        ("outcomes", "replace", False),
        ("user_statuses", "register", False),
        ("user_statuses", "read", False),
    ],
)
def test_a_cancel_in_the_middle_of_its_turn_holds(world: World, port: str, method: str, before: bool) -> None:
    """Whenever it comes before the lease, nothing is sent, and nothing stays registered."""
    update_id = world.accept(**named())
    canceled: list[Any] = []
    hooked(world, port, method, lambda: canceled.append(world.relay.updates.cancel(update_id)), before=before)
    world.run()
    assert isinstance(canceled[0], Outcome)
    assert world.outcome(update_id).state is State.CANCELED
    assert not world.graph.calls
    assert not any(world.user_statuses.accepted.values())


def test_a_cancel_while_it_is_on_its_way_is_too_late(world: World) -> None:
    """The user status that it was resolved to is leased."""
    update_id = world.accept(**named())
    canceled: list[Any] = []
    hooked(world, "graph", "patch_user_status", lambda: canceled.append(world.relay.updates.cancel(update_id)))
    world.run()
    assert isinstance(canceled[0], TooLate)
    assert world.outcome(update_id).state is State.DELIVERED


@pytest.mark.parametrize("resolved", [False, True])
def test_a_named_update_ends_as_poison_as_any_other(world: World, resolved: bool) -> None:
    """Resolved or not, with its raw message, and nothing left behind."""
    update_id = world.accept(**named())
    if resolved:
        dying(world, "user_statuses", "commit", after=False)
        with pytest.raises(Died):
            world.deliver_next()
    for n in range(4):
        message = world.queue.messages.pop()
        world.relay.consume_poison(Delivery(message.text.encode(), f"p{n}", NOW, 1))
    outcome = world.outcome(update_id)
    assert (outcome.state, code(world, update_id)) == (State.FAILED, "poisoned")
    assert outcome.raw_message is not None
    assert not any(world.user_statuses.accepted.values())


def test_a_named_update_whose_message_was_lost_gets_its_turn(world: World) -> None:
    """Reconciliation knows it by its name."""
    update_id = world.accept(**named())
    world.queue.messages.clear()
    world.clock.step(minutes=16)
    assert world.relay.reconcile() == 1
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED


def test_storage_that_fails_between_resolution_and_registration_loses_nothing(world: World) -> None:
    """The host brings the message again."""
    update_id = world.accept(**named())

    def down() -> None:
        raise Unavailable("table")

    hooked(world, "user_statuses", "register", down, before=True)
    with pytest.raises(Unavailable):
        world.deliver_next()
    world.run()
    assert world.outcome(update_id).state is State.DELIVERED
    envelope = world.outcome(update_id).envelope
    assert envelope is not None
    assert world.user_statuses.read(envelope.user_status_key).row is not None


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
