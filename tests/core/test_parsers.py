"""JSON, timestamps, ids, versions, events."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.strict_json import MAX_FAULTS, InvalidMessage, Parsed, read_json
from shared.core.basics.timestamp import format_milliseconds, parse_milliseconds, ticks, ticks_of
from shared.core.basics.update_id import accepted_at, is_update_id, new_update_id
from shared.core.basics.version import Version, version_of
from shared.core.intake.cloud_event import parse_message
from shared.core.intake.update import Update
from tests.builders import NOW, a_message, an_id, an_update

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


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
    first, later = new_update_id(moment, bits), new_update_id(moment + timedelta(milliseconds=1), 0)
    assert is_update_id(first)
    assert timedelta(0) <= moment - accepted_at(first) < timedelta(milliseconds=1)
    assert first < later


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
