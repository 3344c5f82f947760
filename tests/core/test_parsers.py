"""JSON, timestamps, ids, versions, events, envelopes."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.storage_tables.outcome_row import to_row
from shared.core.basics.strict_json import MAX_FAULTS, InvalidMessage, Parsed, read_json
from shared.core.basics.timestamp import format_milliseconds, parse_milliseconds, ticks, ticks_of
from shared.core.basics.update_id import accepted_at, derived_update_id, is_update_id, new_update_id
from shared.core.basics.version import Version, version_of
from shared.core.delivery.outcome import unreadable
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.envelope import Envelope, Received, Unreadable, read_queue_message
from shared.core.intake.update import Update
from tests.builders import NOW, a_message, an_envelope, an_id, an_update

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def read(body: bytes) -> Received | Unreadable:
    """A body as the queue trigger hands it over."""
    return read_queue_message(body, message_id="m", inserted=NOW)


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        (b'{"a": 1, "a": 2}', ["/a"]),
        (b'{"a": {"b": 1, "b": 2}, "c": NaN, "d": [Infinity]}', ["/a/b", "/c", "/d/0"]),
        (b'{"a": "\\ud800"}', ["/a"]),
        (b'{"\\udfff": 1}', ["/?"]),
        (b"\xff", [""]),
        (b"{", [""]),
        (b"", [""]),
        (b"1 2", [""]),
        (b"[" * 20_000, [""]),
        (b"[" * 100 + b"]" * 100, [""]),
        (b"[" + b"9" * 5_000 + b"]", ["/0"]),
    ],
)
def test_what_parsers_would_read_differently_is_refused(text: bytes, pointers: list[str]) -> None:
    """Every such place is named."""
    parsed = read_json(text)
    assert isinstance(parsed, InvalidMessage)
    assert [fault.pointer for fault in parsed.faults] == pointers


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b",".join([b"NaN"] * 12_000) + b"]",
        b'{"' + b"k" * 20_000 + b'": [' + b",".join([b"NaN"] * 5_000) + b"]}",
        b"{" + b",".join(b'"%d": 1' % n for n in range(50_000)) + b', "0": 1, "1": 1}',
    ],
)
def test_what_is_wrong_with_a_message_is_told_in_bounds(text: bytes) -> None:
    """No message comes back many times larger than it was sent, nor takes long to refuse."""
    parsed = read_json(text)
    assert isinstance(parsed, InvalidMessage)
    assert 2 <= len(parsed.faults) <= MAX_FAULTS
    assert all(len(fault.pointer) < 300 for fault in parsed.faults)


def test_the_outcome_of_a_message_full_of_faults_can_be_stored() -> None:
    """An entity holds 1 MiB (docs/graph-facts.md#f44); what cannot be recorded would go round for ever."""
    for item in (b"NaN", '"\U0001f600": 1'.encode()):
        text = b",".join([item] * (48 * 1024 // (len(item) + 1)))
        message = read(b"[" + text + b"]" if item == b"NaN" else b"{" + text + b"}")
        assert isinstance(message, Unreadable)
        row = to_row(unreadable(message, NOW))
        assert sum(2 * len(value) for value in row.values() if isinstance(value, str)) < 1024 * 1024


def test_a_byte_order_mark_is_no_fault() -> None:
    """Windows editors write one."""
    assert read_json(b"\xef\xbb\xbf{}") == Parsed({})


@given(st.binary(max_size=200))
def test_no_bytes_make_json_reading_raise(text: bytes) -> None:
    """Garbage gives a value."""
    assert isinstance(read_json(text), Parsed | InvalidMessage)


@given(MOMENTS, st.integers(0, 9_999_999), st.integers(-14 * 60, 14 * 60))
def test_the_order_of_ticks_is_the_order_of_instants(moment: datetime, fraction: int, offset: int) -> None:
    """Whatever the offset, to 100 ns."""
    local = moment.replace(microsecond=0).astimezone(timezone(timedelta(minutes=offset)))
    text = f"{local:%Y-%m-%dT%H:%M:%S}.{fraction:07}{local:%z}"
    text = f"{text[:-2]}:{text[-2:]}"
    assert ticks(text) == ticks_of(moment.replace(microsecond=0)) + fraction


@given(st.text(max_size=40))
def test_no_text_makes_timestamps_raise(text: str) -> None:
    """Garbage is None."""
    assert ticks(text) is None or isinstance(ticks(text), int)


@given(MOMENTS)
def test_milliseconds_read_back(moment: datetime) -> None:
    """Cut to the millisecond."""
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_milliseconds(format_milliseconds(moment)) == cut


@given(MOMENTS, st.integers(0, 2**80))
def test_an_id_carries_its_acceptance_time_and_sorts_by_it(moment: datetime, bits: int) -> None:
    """UUIDv7."""
    one, later = new_update_id(moment, bits), new_update_id(moment + timedelta(milliseconds=1), 0)
    assert is_update_id(one)
    assert timedelta(0) <= moment - accepted_at(one) < timedelta(milliseconds=1)
    assert one < later


def test_a_foreign_message_has_the_same_id_whenever_it_is_read() -> None:
    """And another message has another."""
    assert derived_update_id(NOW, "m") == derived_update_id(NOW, "m") != derived_update_id(NOW, "n")
    assert not is_update_id(an_id().upper())
    assert not is_update_id("ffffffff-ffff-7fff-bfff-ffffffffffff")


def test_a_version_is_the_report_or_else_the_acceptance() -> None:
    """And a report from more than five minutes ahead counts as accepted."""
    accepted = ticks_of(NOW)
    assert version_of(None, an_id()).instant == accepted
    assert version_of("2017-01-01T00:00:17.7769392-08:00", an_id()).instant == ticks("2017-01-01T08:00:17.7769392Z")
    assert version_of("2026-11-23T20:35:00Z", an_id()).instant == accepted + 5 * 60 * 10_000_000
    assert version_of("2026-11-23T20:35:00.0000001Z", an_id()).instant == accepted
    assert Version(1, an_id()) < Version(2, an_id()) < Version(2, an_id(1))
    assert Version.from_text(Version(7, an_id()).to_text()) == Version(7, an_id())


@pytest.mark.parametrize(
    "event",
    [
        {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": a_message()},
        {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": json.dumps(a_message())},
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/hr",
            "type": "t",
            "data_base64": base64.b64encode(json.dumps(a_message()).encode()).decode(),
        },
        {"id": "1", "eventType": "t", "topic": "/hr", "subject": "s", "eventTime": "x", "data": a_message()},
    ],
)
def test_an_event_is_unwrapped_and_names_its_update(event: dict[str, Any]) -> None:
    """Source and id make the idempotency key."""
    update = parse_message(event)
    assert isinstance(update, Update)
    assert update.properties() == an_update().properties()
    assert update.idempotency_key == parse_message(event | {"type": "other"}).idempotency_key  # type: ignore[union-attr]
    assert update.idempotency_key != parse_message(event | {"id": "2"}).idempotency_key  # type: ignore[union-attr]


def test_a_message_keeps_its_own_key_inside_an_event() -> None:
    """The sender's word comes first; the event's trace is taken."""
    trace = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    event = {"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "traceparent": trace}
    update = parse_message(event | {"data": a_message(idempotencyKey="mine")})
    assert isinstance(update, Update)
    assert (update.idempotency_key, update.traceparent) == ("mine", trace)


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        ({"specversion": "0.3", "id": "1", "source": "s", "type": "t", "data": {}}, "/specversion"),
        ({"specversion": "1.0", "source": "s", "type": "t", "data": {}}, "/id"),
        ({"specversion": "1.0", "id": "1", "source": "s", "type": "t"}, "/data"),
        ({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {}}, "/data/userStatus"),
        ({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data_base64": "?"}, "/data_base64"),
    ],
)
def test_a_broken_event_says_where(event: dict[str, Any], pointer: str) -> None:
    """Pointers reach into its data."""
    invalid = parse_message(event)
    assert isinstance(invalid, InvalidMessage)
    assert pointer in [fault.pointer for fault in invalid.faults]


@pytest.mark.parametrize("encode", [bytes, base64.b64encode, lambda body: base64.b64encode(body).rstrip(b"=")])
def test_an_envelope_reads_back_plain_or_base64(encode: Any) -> None:
    """Every member of it."""
    envelope = Envelope(an_id(), 3, an_update(source="hr"), "principal", an_id(1), Version(5, an_id(2)), 2)
    assert read(encode(envelope.to_json().encode())) == Received(envelope)


def test_the_envelope_is_the_contracts() -> None:
    """Just its members when nothing else is to be said."""
    assert json.loads(an_envelope().to_json()) == {
        "relay": 1,
        "id": an_id(),
        "attempt": 1,
        "acceptedDateTime": "2026-11-23T20:30:00.000Z",
        "update": a_message(),
    }


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("relay", 2),
        ("relay", True),
        ("id", "x"),
        ("id", None),
        ("attempt", 0),
        ("attempt", True),
        ("attempt", "1"),
        ("acceptedDateTime", 3),
        ("submittedBy", 1),
        ("replayOf", "x"),
        ("version", "x"),
        ("version", "1|x"),
        ("poisoned", -1),
    ],
)
def test_an_envelope_that_is_not_ours_is_unreadable(member: str, value: Any) -> None:
    """And says why."""
    document = json.loads(an_envelope().to_json()) | {member: value}
    unreadable = read(json.dumps(document).encode())
    assert isinstance(unreadable, Unreadable)
    assert [fault.pointer for fault in unreadable.faults] == [f"/{member}"]


def test_an_envelope_of_a_newer_version_is_read_and_its_members_travel_on() -> None:
    """Two versions run side by side during an upgrade: each carries on what the other put on the queue."""
    message = a_message(priority="bulk") | {"userStatus": {"status": "compliant", "osVersion": "10"}}
    document = json.loads(an_envelope().to_json()) | {"heldBy": {"id": 1}, "update": message}

    received = read(json.dumps(document).encode())

    assert isinstance(received, Received)
    assert received.envelope.update.properties() == {"status": "compliant"}
    later = json.loads(received.envelope.next_attempt().to_json())
    assert later == document | {"attempt": 2}


@pytest.mark.parametrize("broken", [{"userStatus": 1}, {"deviceCompliancePolicyId": "x", "priority": "bulk"}, None])
def test_what_a_newer_version_wrote_must_still_be_an_update(broken: Any) -> None:
    """Unknown members are ignored, bad values of known ones are not."""
    update = broken and a_message() | broken
    assert isinstance(read(json.dumps(json.loads(an_envelope().to_json()) | {"update": update}).encode()), Unreadable)


def test_the_raw_message_of_base64_is_the_text_in_it() -> None:
    """A person reads what was sent, whichever way the sender's library encoded it."""
    unreadable = read(base64.b64encode('{"é":'.encode()))
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.raw_message, unreadable.raw_message_encoding) == ('{"é":', None)


def test_a_raw_message_keeps_what_was_on_the_queue() -> None:
    """As text where text survives, else as base64."""
    text, control, binary = read(b'{"x":'), read(b'{"\x00'), read(b"\xff\x00")
    assert isinstance(text, Unreadable)
    assert isinstance(control, Unreadable)
    assert isinstance(binary, Unreadable)
    assert (text.raw_message, text.raw_message_encoding) == ('{"x":', None)
    assert (control.raw_message, control.raw_message_encoding) == (base64.b64encode(b'{"\x00').decode(), "base64")
    assert (base64.b64decode(binary.raw_message), binary.raw_message_encoding) == (b"\xff\x00", "base64")


@given(st.binary(max_size=300))
def test_no_bytes_on_the_queue_make_reading_raise(body: bytes) -> None:
    """Nor does their base64."""
    assert isinstance(read(body), Received | Unreadable)
    assert isinstance(read(base64.b64encode(body)), Received | Unreadable)
