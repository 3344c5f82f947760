"""W3C trace context: read what is right, leave out what is not."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.trace import Origin, Trace, read_traceparent
from shared.core.intake.envelope import Received, read_queue_message
from tests.builders import NOW, an_envelope

ONE = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
CHILD = "00-" + "1" * 32 + "-" + "3" * 16 + "-01"
OTHER = "00-" + "a" * 32 + "-" + "b" * 16 + "-00"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (ONE, ONE),
        (OTHER, OTHER),
        (f" {ONE}\t", ONE),
        (ONE[:-2] + "ff", ONE[:-2] + "03"),
        ("cc" + ONE[2:], ONE),
        ("cc" + ONE[2:] + "-what-the-future-brings", ONE),
    ],
)
def test_a_context_is_read_in_any_version(text: str, read: str) -> None:
    """As version 00, with the flags that are known."""
    assert read_traceparent(text) == read


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "-",
        ONE[:-1],
        ONE + "-x",
        "ff" + ONE[2:],
        ONE.replace("1" * 32, "0" * 32),
        ONE + "\n",
        ONE.replace("2" * 16, "0" * 16),
        OTHER.upper(),
        ONE.replace("-", "_"),
        "c" + ONE[2:],
        "cc" + ONE[2:] + "x",
    ],
)
def test_what_is_no_context_is_left_out(text: object) -> None:
    """It is no fault of the message."""
    assert read_traceparent(text) is None


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", fullmatch=True))
def test_reading_never_fails_and_reads_its_own(text: str) -> None:
    """Whatever comes."""
    read = read_traceparent(text)
    assert read is None or read_traceparent(read) == read


@pytest.mark.parametrize(
    ("origin", "traceparent", "follows"),
    [
        (Origin(), None, Trace()),
        (Origin(), ONE, Trace(ONE)),
        (Origin(ONE), OTHER, Trace(ONE, (OTHER,))),
        (Origin(ONE, CHILD), None, Trace(CHILD)),
        (Origin(ONE, CHILD), OTHER, Trace(CHILD, (OTHER,))),
        (Origin(ONE, OTHER), None, Trace(ONE, (OTHER,))),
        (Origin(None, OTHER), None, Trace(OTHER)),
        (Origin(None, OTHER), ONE, Trace(ONE, (OTHER,))),
        (Origin(ONE, ONE), ONE, Trace(ONE)),
    ],
)
def test_the_callers_header_comes_first_then_the_message_then_the_hosts_own_trace(
    origin: Origin, traceparent: str | None, follows: Trace
) -> None:
    """The others are linked."""
    assert origin.trace(traceparent) == follows


@pytest.mark.parametrize(
    ("own", "sender", "follows"), [(ONE, OTHER, ONE), (None, OTHER, OTHER), (None, None, CHILD), (ONE, None, ONE)]
)
def test_an_envelope_follows_its_own_context_then_the_senders_then_where_it_is(
    own: str | None, sender: str | None, follows: str
) -> None:
    """And so does its next attempt, and what is read of it from the queue; the sender's stays as it came."""
    envelope = replace(an_envelope(traceparent=sender), traceparent=own)

    again = envelope.following(CHILD).next_attempt()

    read = read_queue_message(again.to_json().encode(), message_id="m", inserted=NOW)
    assert read == Received(again)
    assert (again.trace, again.update.traceparent) == (follows, sender)


@pytest.mark.parametrize("bad", ["garbage", 7, "00-" + "0" * 32 + "-" + "2" * 16 + "-01"])
def test_an_envelope_with_a_bad_context_is_read_without_it(bad: object) -> None:
    """A courtesy is no reason to fail an update."""
    document = json.loads(an_envelope().to_json()) | {"traceparent": bad}
    read = read_queue_message(json.dumps(document).encode(), message_id="m", inserted=NOW)
    assert read == Received(an_envelope())
