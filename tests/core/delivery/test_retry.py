"""The next step after a reply, and its delay."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import (
    DeadlineExceeded,
    DeliveryError,
    Done,
    GiveUp,
    RetryAt,
    RetryPolicy,
    Step,
    decide,
    is_answer,
    refuses_every_value,
)
from tests.builders import NOW
from tests.core.delivery.answers import PAGE, answer, error

POLICY = RetryPolicy(2, 900, 20)
FAR = datetime(9999, 1, 1, tzinfo=UTC)


def step(reply: GraphReply, attempt: int = 1, jitter: float = 0.5, deadline: datetime = FAR) -> Step:
    """Return the decision now."""
    return decide(reply, attempt=attempt, now=NOW, jitter=jitter, policy=POLICY, deadline=deadline)


def test_success_is_done_with_its_body() -> None:
    """Where there is one."""
    assert step(answer(204)) == Done(None)
    assert step(answer(200, {"id": "x"})) == Done({"id": "x"})


@pytest.mark.parametrize("kind", ReplyKind)
def test_only_success_and_refusals_end_an_update(kind: ReplyKind) -> None:
    """Everything else waits."""
    decided = step(GraphReply(400, judged=kind))
    match kind:
        case ReplyKind.SUCCESS:
            assert isinstance(decided, Done)
        case ReplyKind.REFUSED | ReplyKind.ROUTE_MISSING:
            assert isinstance(decided, GiveUp)
        case _:
            assert isinstance(decided, RetryAt)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (GraphReply(None, identity_fault="400 none"), "No token could be obtained: 400 none"),
        (GraphReply(None, TransportFault.TIMEOUT), "Graph did not answer in time."),
        (answer(470, b"Blocked."), "Something between the app and Graph answered 470: Blocked."),
        (answer(404, b""), "Something between the app and Graph answered 404."),
        (answer(200, PAGE), "Graph answered 200 with a body that is of no use: Sign in to your account & go on"),
        (answer(503), "Graph answered 503."),
        (answer(503, error("x", "Closed.")), "Closed."),
    ],
)
def test_the_message_says_who_answered_and_what(reply: GraphReply, message: str) -> None:
    """In a sentence of ours, with the words of the answer."""
    decided = step(reply)
    assert isinstance(decided, RetryAt)
    assert decided.error.message == message


@pytest.mark.parametrize(
    ("reply", "attempt", "jitter", "least", "most"),
    [
        (GraphReply(500), 1, 1.0, 2, 2),  # base
        (GraphReply(500), 4, 1.0, 16, 16),  # 2 * 2**3
        (GraphReply(500), 4, 0.0, 0, 0),  # full jitter
        (GraphReply(500), 1_000_000, 1.0, 900, 900),  # the ceiling, whatever the attempt
        (GraphReply(503, retry_after_seconds=30), 1, 0.0, 30, 30),  # as asked
        (GraphReply(503, retry_after_seconds=30), 3, 1.0, 30, 31),  # never earlier, hardly later
        (GraphReply(503, retry_after_seconds=0), 9, 1.0, 512, 512),  # never sooner than the backoff
        (GraphReply(429, retry_after_seconds=0), 6, 0.5, 32, 32),
        (GraphReply(429), 1, 0.0, 20, 20),  # a quota window
        (GraphReply(429), 30, 1.0, 900, 901),
    ],
)
def test_delays(reply: GraphReply, attempt: int, jitter: float, least: float, most: float) -> None:
    """The backoff in a table."""
    decided = step(reply, attempt, jitter)
    assert isinstance(decided, RetryAt)
    assert timedelta(seconds=least) <= decided.when - NOW <= timedelta(seconds=most)


@given(st.integers(1, 10**6), st.floats(0, 1), st.sampled_from([408, 429, 500, 503]))
def test_a_delay_lies_between_nothing_and_its_ceiling(attempt: int, jitter: float, status: int) -> None:
    """For any attempt number."""
    decided = step(GraphReply(status), attempt, jitter)
    assert isinstance(decided, RetryAt)
    assert timedelta(0) <= decided.when - NOW <= timedelta(seconds=901)


@given(st.integers(1, 40), st.floats(0, 1), st.floats(0, 100), st.sampled_from([429, 500, 503]))
def test_retry_after_makes_no_delay_shorter_than_the_backoff(
    attempt: int, jitter: float, asked: float, status: int
) -> None:
    """``Retry-After: 0`` must not switch it off."""
    decided = step(GraphReply(status, retry_after_seconds=asked), attempt, jitter)
    backoff = step(GraphReply(500), attempt, jitter)
    assert isinstance(decided, RetryAt)
    assert isinstance(backoff, RetryAt)
    assert decided.when >= backoff.when


def test_the_deadline_ends_it_with_the_last_fault() -> None:
    """Before it, the next attempt is never later than it."""
    late = step(GraphReply(503, message="busy"), deadline=NOW)
    assert isinstance(late, DeadlineExceeded)
    assert late.error.code == "deadlineExceeded"
    assert "busy" in late.error.message
    soon = step(GraphReply(503, retry_after_seconds=500), deadline=NOW + timedelta(seconds=9))
    assert isinstance(soon, RetryAt)
    assert soon.when == NOW + timedelta(seconds=9)


def test_a_huge_result_is_not_kept() -> None:
    """16 KiB, the documented bound."""
    decided = step(answer(200, {"x": "y" * 20_000}))
    assert isinstance(decided, Done)
    assert decided.result is not None
    assert decided.result["truncated"] is True


def test_an_error_shows_what_support_asks_for() -> None:
    """Graph's code and ids, beside the relay's own code and message."""
    reply = GraphReply(
        503, code="busy", request_id="r", client_request_id="c", activity_id="a", date="Mon, 23 Nov 2026 20:30:00 GMT"
    )
    assert DeliveryError("graphUnavailable", "Closed.", reply).to_json() == {
        "code": "graphUnavailable",
        "message": "Closed.",
        "innerError": {
            "statusCode": 503,
            "code": "busy",
            "requestId": "r",
            "clientRequestId": "c",
            "activityId": "a",
            "date": "Mon, 23 Nov 2026 20:30:00 GMT",
        },
    }


@pytest.mark.parametrize("kind", ReplyKind)
def test_graph_answers_when_it_did_or_refused_what_it_was_asked(kind: ReplyKind) -> None:
    """Any other reply says nothing of whether it works."""
    answers = {ReplyKind.SUCCESS, ReplyKind.REFUSED, ReplyKind.ROUTE_MISSING}
    assert is_answer(GraphReply(400, judged=kind)) == (kind in answers)


@pytest.mark.parametrize(
    ("kind", "status", "every"),
    [
        (ReplyKind.ROUTE_MISSING, 400, True),
        (ReplyKind.ROUTE_MISSING, 404, True),
        (ReplyKind.REFUSED, 404, True),
        (ReplyKind.REFUSED, 400, False),
        (ReplyKind.UNREADABLE_SUCCESS, 404, False),
        (ReplyKind.SUCCESS, 200, False),
    ],
)
def test_only_what_does_not_exist_refuses_every_value(kind: ReplyKind, status: int, every: bool) -> None:
    """A 400 may be the fault of one value."""
    assert refuses_every_value(GraphReply(status, judged=kind)) is every
