"""A caller is answered in time, whatever storage does."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import a_message, an_id
from tests.web.caller import ask, problem
from tests.world import World


@pytest.fixture
def hanging(world: World) -> Iterator[World]:
    """The queue does not answer before the test is over."""
    over = threading.Event()

    def hang(_text: str, _delay: timedelta = timedelta(0)) -> None:
        over.wait()

    for queue in (world.queue, world.bulk_queue):
        queue.put = hang  # type: ignore[method-assign]
    world.relay.__dict__["waiting"] = replace(world.relay.waiting, answer_seconds=0.05)
    yield world
    over.set()


def test_a_post_is_answered_while_storage_hangs(hanging: World) -> None:
    """503 with ``Retry-After``; it was ten seconds, then minutes."""
    relay = hanging.relay
    for handler, body in (
        (relay.updates.post_update, a_message()),
        (relay.batch.post_batch, {"updates": [a_message()]}),
    ):
        response, _ = ask(handler, "POST", body)
        assert problem(response) == (503, "storageUnavailable")
        assert int(response.headers["Retry-After"]) > 0


def test_a_get_is_answered_while_storage_hangs(hanging: World) -> None:
    """So that nobody waits for nothing."""
    over = threading.Event()
    hanging.outcomes.get = lambda _id: over.wait()  # type: ignore[method-assign, assignment, return-value]
    response, _ = ask(hanging.relay.updates.get_update, route_params={"id": an_id()})
    assert problem(response) == (503, "storageUnavailable")
    over.set()
