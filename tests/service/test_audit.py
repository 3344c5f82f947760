"""The audit's record of an action, whatever dies around it."""

import logging

import pytest

from shared.core.audit import Action, Result
from shared.core.delivery.outcome import Outcome, State
from shared.service.ports.storage import Unavailable
from tests.world import World


class Killed(BaseException):
    """The process died here."""


def cancel(world: World, update_id: str) -> object:
    """Cancel an update as the HTTP handler does."""
    return world.relay.audit.of(Action.CANCEL, update_id, lambda: world.relay.cancel(update_id), by=None)


def results(world: World) -> list[str]:
    """Return what the records say."""
    return [record.result for record in world.audit.rows.values()]


def test_a_process_that_dies_right_after_the_action_leaves_its_record(world: World) -> None:
    """It says that the action began; the update says what came of it."""
    update_id = world.accept()

    def dies(*_: object) -> None:
        raise Killed

    world.audit.conclude = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        cancel(world, update_id)
    assert world.outcome(update_id).state is State.CANCELED
    assert results(world) == [Result.STARTED]


def test_a_process_that_dies_before_the_action_leaves_its_record_too(world: World) -> None:
    """Nobody can tell it from the other: the update can."""
    update_id = world.accept()
    append = world.audit.append

    def dies(*record: object) -> None:
        append(*record)  # type: ignore[arg-type]
        raise Killed

    world.audit.append = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        cancel(world, update_id)
    assert world.outcome(update_id).state is State.QUEUED
    assert results(world) == [Result.STARTED]


def test_an_action_that_fails_is_recorded_as_failed_and_its_fault_is_the_callers(world: World) -> None:
    """It is raised as it came."""

    def fails() -> None:
        raise Unavailable("queue")

    with pytest.raises(Unavailable, match="queue"):
        world.relay.audit.of(Action.ERASE, None, fails, by=None)
    assert results(world) == [Result.FAILED]


def test_a_result_that_cannot_be_written_fails_no_action(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets what the action returned; the record says started, the log says why."""
    update_id = world.accept()

    def down(*_: object) -> None:
        raise Unavailable("table: ServiceRequestError")

    world.audit.conclude = down  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        assert isinstance(cancel(world, update_id), Outcome)
    assert results(world) == [Result.STARTED]
    assert "audit result lost" in caplog.text
