"""An update's states: every transition from every state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.delivery.failure import deadline_exceeded
from shared.core.delivery.outcome import (
    MAX_ATTEMPTS_KEPT,
    Attempt,
    IllegalMoveError,
    State,
    Transition,
    advance,
    is_stale,
    may_have_left_values,
    queued,
    record,
    resolved_to,
)
from tests.builders import NOW, an_envelope

ARRIVES = {
    Transition.WAIT: State.WAITING,
    Transition.HOLD: State.HELD,
    Transition.DELIVER: State.DELIVERED,
    Transition.SUPERSEDE: State.SUPERSEDED,
    Transition.FAIL: State.FAILED,
    Transition.CANCEL: State.CANCELED,
}
OPEN = (State.QUEUED, State.WAITING)
LATER = NOW + timedelta(seconds=5)


@pytest.mark.parametrize("transition", ARRIVES)
@pytest.mark.parametrize("state", OPEN)
def test_an_open_update_can_go_anywhere(state: State, transition: Transition) -> None:
    """Waiting once more included; the time of the change is kept."""
    before = replace(queued(an_envelope(), NOW), state=state)

    after = advance(before, transition, LATER)

    assert (after.state, after.last_action) == (ARRIVES[transition], LATER)
    assert replace(after, state=state, last_action=before.last_action) == before


@pytest.mark.parametrize("transition", Transition)
@pytest.mark.parametrize("state", [state for state in State if state not in (*OPEN, State.HELD)])
def test_a_final_update_never_changes(state: State, transition: Transition) -> None:
    """A transition from a final state is a bug, and says so."""
    before = replace(queued(an_envelope(), NOW), state=state)

    assert before.state.final
    with pytest.raises(IllegalMoveError, match=f"{transition.value} after {state.name}"):
        advance(before, transition, LATER)


def test_a_held_update_can_go_anywhere_and_back_to_the_queue() -> None:
    """The time for which it was held is kept: its deadline comes so much later."""
    held = advance(queued(an_envelope(), NOW), Transition.HOLD, NOW, held_by="pause")
    for transition, state in {**ARRIVES, Transition.RESUME: State.QUEUED}.items():
        after = advance(held, transition, LATER)
        assert (after.state, after.held_by) == (state, None)
        assert after.tried_from == after.created + timedelta(seconds=5)


def test_an_update_that_is_not_held_cannot_be_resumed() -> None:
    """A bug, and says so."""
    with pytest.raises(IllegalMoveError):
        advance(queued(an_envelope(), NOW), Transition.RESUME, LATER)


def test_only_three_states_are_open() -> None:
    """Everything else is an end."""
    assert tuple(state for state in State if not state.final) == (State.QUEUED, State.HELD, State.WAITING)


def test_a_transition_drops_what_only_the_last_state_knew() -> None:
    """The fault and the next attempt are of the wait that is over."""
    waiting = advance(queued(an_envelope(), NOW), Transition.WAIT, NOW, error={"code": "x"}, next_attempt=LATER)

    delivered = advance(waiting, Transition.DELIVER, LATER, result={"id": "u"})

    assert (waiting.error, waiting.next_attempt) == ({"code": "x"}, LATER)
    assert (delivered.error, delivered.next_attempt, delivered.result) == (None, None, {"id": "u"})


def test_all_attempts_are_counted_and_the_newest_are_kept() -> None:
    """However many there were."""
    outcome = queued(an_envelope(), NOW)
    for number in range(MAX_ATTEMPTS_KEPT + 5):
        outcome = record(outcome, (Attempt(NOW, number, 503, None, None, None, None),))

    assert outcome.attempt_count == MAX_ATTEMPTS_KEPT + 5
    assert [attempt.duration_milliseconds for attempt in outcome.attempts] == list(range(5, MAX_ATTEMPTS_KEPT + 5))


@pytest.mark.parametrize(
    ("state", "attempt", "stale"),
    [(State.QUEUED, 2, False), (State.WAITING, 3, False), (State.WAITING, 1, True), (State.DELIVERED, 9, True)],
)
def test_a_message_is_stale_once_its_update_is_final_or_a_newer_one_carries_it(
    state: State, attempt: int, *, stale: bool
) -> None:
    """The outcome knows the number of its newest message."""
    outcome = replace(queued(an_envelope(attempt=2), NOW), state=state)

    assert is_stale(outcome, an_envelope(attempt=attempt)) is stale


@pytest.mark.parametrize("state", State)
def test_only_an_end_without_success_may_have_left_values(state: State) -> None:
    """And only of an update whose user status is known and whose message is not erased."""
    outcome = replace(queued(an_envelope(), NOW), state=state)
    named = replace(
        queued(an_envelope(deviceComplianceUserStatusId=None, userPrincipalName="a@x.example"), NOW), state=state
    )
    ended = state in (State.FAILED, State.CANCELED)

    assert may_have_left_values(outcome) is ended
    assert may_have_left_values(named) is False
    assert may_have_left_values(resolved_to(named, "found")) is ended
    assert may_have_left_values(replace(outcome, update=None)) is False


def test_a_deadline_names_the_last_fault_within_bounds() -> None:
    """Its inner error is kept."""
    error = deadline_exceeded({"code": "throttled", "message": "m" * 3000, "innerError": {"statusCode": 429}})

    assert error["code"] == "deadlineExceeded"
    assert "throttled" in error["message"]
    assert len(error["message"]) == 2048
    assert error["innerError"] == {"statusCode": 429}
    assert deadline_exceeded(None)["message"] == "Not delivered before its deadline."
