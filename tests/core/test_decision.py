"""What follows from each reply, row by row, and the reading of Graph's answers."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery.graph_reply import GraphReply, TransportFault, parse_reply
from shared.core.delivery.retry import Done, GiveUp, RetryAt, RetryPolicy, Step, decide, hold_seconds, is_outage
from tests.builders import NOW

POLICY = RetryPolicy(2, 900, 20)
FAR = datetime(9999, 1, 1, tzinfo=UTC)


def step(reply: GraphReply, attempt: int = 1, jitter: float = 0.5, deadline: datetime = FAR) -> Step:
    """The decision now."""
    return decide(reply, attempt=attempt, now=NOW, jitter=jitter, policy=POLICY, deadline=deadline)


def answer(status: int, body: object = b"", **headers: str) -> GraphReply:
    """An answer of Graph's, read."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_reply(status, named, raw, now=NOW, client_request_id="c")


def nested(levels: int, **members: object) -> dict[str, object]:
    """Intune's error (docs/graph-facts.md#f14), with JSON inside its message."""
    inner: dict[str, object] = {
        "_version": 3,
        "Message": "Broken - Operation ID (for customer support): 0 - Activity ID: 11111111-2222-3333-4444-555555555555"
        " - Url: https://fef.x.manage.microsoft.com/secret?id=7",
        "RetryAfter": None,
    } | members
    for _ in range(levels - 2):
        inner = {"ErrorCode": "Forbidden", "Message": json.dumps(inner)}
    return {"error": {"code": "UnknownError", "message": json.dumps(inner), "innerError": {"request-id": "r"}}}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_any_2xx_with_json_or_nothing(status: int) -> None:
    """The result is the body."""
    assert step(answer(status)) == Done(None)
    assert step(answer(status, {"id": "x"})) == Done({"id": "x"})


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "notAuthorized"), (403, "notAuthorized"), (429, "throttled")]
    + [(one, "graphUnavailable") for one in (408, 409, 423, 425, 500, 501, 502, 503, 504, 507, 509, 599)],
)
def test_what_may_pass_waits(status: int, code: str) -> None:
    """And is tried again."""
    decided = step(answer(status))
    assert isinstance(decided, RetryAt)
    assert decided.error.code == code


@pytest.mark.parametrize(
    "status", [300, 301, 302, 304, 307, 400, 402, 404, 405, 406, 410, 411, 412, 413, 415, 416, 418, 422, 424, 451]
)
def test_every_other_status_is_final(status: int) -> None:
    """Never tried again."""
    decided = step(answer(status))
    assert isinstance(decided, GiveUp)
    assert decided.error.code == "graphRejected"


@pytest.mark.parametrize("transport", list(TransportFault))
def test_a_broken_call_waits(transport: TransportFault) -> None:
    """However it broke."""
    decided = step(GraphReply(None, transport))
    assert isinstance(decided, RetryAt)
    assert decided.error.code == "graphUnavailable"


def test_a_2xx_that_is_not_json_and_a_missing_token_wait() -> None:
    """Neither proves anything."""
    garbage, identity = step(answer(200, b"<html>")), step(GraphReply(None, identity_fault="away"))
    assert isinstance(garbage, RetryAt)
    assert isinstance(identity, RetryAt)
    assert identity.error.code == "identityUnavailable"


@pytest.mark.parametrize("levels", [2, 3])
def test_intunes_missing_route_is_recognised_however_deep(levels: int) -> None:
    """docs/graph-facts.md#f1 has a code of its own, and is final."""
    flat = {"error": {"code": "No method match route template", "message": "No OData route exists that match template"}}
    deep = nested(levels, Message="No OData route exists that match template ~/singleton with http verb PATCH")
    for body in (flat, deep):
        decided = step(answer(400, body))
        assert isinstance(decided, GiveUp)
        assert decided.error.code == "operationNotSupported"


@pytest.mark.parametrize("levels", [2, 3])
def test_intunes_nested_message_is_unpacked(levels: int) -> None:
    """The human part, without internal addresses, and the activity id."""
    reply = answer(400, nested(levels))
    assert reply.message is not None
    assert reply.message.startswith("Broken")
    assert "manage.microsoft.com" not in reply.message
    assert reply.activity_id == "11111111-2222-3333-4444-555555555555"
    assert reply.request_id == "r"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("10", 10),
        ("2.128", 2.128),
        ("0", 0),
        ("-5", 0),
        ("Mon, 23 Nov 2026 20:31:00 GMT", 60),
        ("99999999", 86_400),
        ("soon", None),
        ("nan", None),
        ("", None),
        ("1e400", 86_400),
    ],
)
def test_retry_after_is_read_in_every_form(header: str, seconds: float | None) -> None:
    """Integer, decimal, HTTP date; garbage is none."""
    assert answer(429, Retry_After=header).retry_after_seconds == seconds


@pytest.mark.parametrize(("value", "seconds"), [(7, 7), ("7", 7), ("00:01:30", 90), (None, None), (True, None)])
def test_retry_after_inside_intunes_message_counts(value: object, seconds: float | None) -> None:
    """Where there is no header."""
    assert answer(503, nested(2, RetryAfter=value)).retry_after_seconds == seconds
    assert answer(503, nested(2, RetryAfter=value), Retry_After="3").retry_after_seconds == 3


@pytest.mark.parametrize(
    ("reply", "attempt", "jitter", "least", "most"),
    [
        (GraphReply(500), 1, 1.0, 2, 2),  # base
        (GraphReply(500), 4, 1.0, 16, 16),  # 2 * 2**3
        (GraphReply(500), 4, 0.0, 0, 0),  # full jitter
        (GraphReply(500), 1_000_000, 1.0, 900, 900),  # the ceiling, whatever the attempt
        (GraphReply(503, retry_after_seconds=30), 1, 0.0, 30, 30),  # as asked
        (GraphReply(503, retry_after_seconds=30), 9, 1.0, 30, 31),  # never earlier, hardly later
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


def test_the_deadline_ends_it_with_the_last_fault() -> None:
    """Before it, the next attempt is never later than it."""
    late = step(GraphReply(503, message="busy"), deadline=NOW)
    assert isinstance(late, GiveUp)
    assert late.error.code == "deadlineExceeded"
    assert "busy" in late.error.message
    soon = step(GraphReply(503, retry_after_seconds=500), deadline=NOW + timedelta(seconds=9))
    assert isinstance(soon, RetryAt)
    assert soon.when == NOW + timedelta(seconds=9)


def test_who_holds_all_instances() -> None:
    """429 and 503 with Retry-After; outages count towards the probe."""
    assert hold_seconds(GraphReply(429, retry_after_seconds=3)) == 3
    assert hold_seconds(GraphReply(429)) is None
    assert hold_seconds(GraphReply(500, retry_after_seconds=3)) is None
    assert [is_outage(GraphReply(status)) for status in (200, 400, 403, 429, 500)] == [False, False, True, False, True]


@given(st.integers(100, 599), st.binary(max_size=300), st.dictionaries(st.text(max_size=12), st.text(max_size=30)))
def test_no_answer_makes_reading_raise(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever Graph, or what stands in its way, says."""
    reply = parse_reply(status, headers, body, now=NOW, client_request_id="c")
    assert isinstance(step(reply), Done | GiveUp | RetryAt)


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.floats(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["error", "message", "innerError", "code", "RetryAfter", "Message"]), x)
        ),
    )
)
def test_no_error_object_makes_reading_raise(document: object) -> None:
    """However its known members are nested."""
    assert answer(400, document).status_code == 400


def test_a_huge_result_is_not_kept() -> None:
    """16 KiB, the documented bound."""
    decided = step(answer(200, {"x": "y" * 20_000}))
    assert isinstance(decided, Done)
    assert decided.result is not None
    assert decided.result["truncated"] is True
