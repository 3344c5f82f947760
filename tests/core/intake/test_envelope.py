"""What is read from the queue: our envelopes, those of a newer version, foreign messages, and what nobody can read."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.storage_tables.outcome_row import to_row
from shared.core.basics.update_id import derived_update_id, is_update_id
from shared.core.basics.version import Version
from shared.core.delivery.outcome import unreadable
from shared.core.intake.envelope import Envelope, Received, Unreadable, read_queue_message
from tests.builders import NOW, a_message, an_envelope, an_id, an_update

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def read(body: bytes) -> Received | Unreadable:
    """A body as the queue trigger hands it over."""
    return read_queue_message(body, message_id="m", inserted=NOW)


def test_the_outcome_of_a_message_full_of_faults_can_be_stored() -> None:
    """An entity holds 1 MiB (docs/graph-facts.md#f44); what cannot be recorded would go round for ever."""
    for item in (b"NaN", '"\U0001f600": 1'.encode()):
        text = b",".join([item] * (48 * 1024 // (len(item) + 1)))
        message = read(b"[" + text + b"]" if item == b"NaN" else b"{" + text + b"}")
        assert isinstance(message, Unreadable)
        row = to_row(unreadable(message, NOW))
        assert sum(2 * len(value) for value in row.values() if isinstance(value, str)) < 1024 * 1024


def test_a_foreign_message_has_the_same_id_whenever_it_is_read() -> None:
    """And another message has another."""
    assert derived_update_id(NOW, "m") == derived_update_id(NOW, "m") != derived_update_id(NOW, "n")
    assert not is_update_id(an_id().upper())
    assert not is_update_id("ffffffff-ffff-7fff-bfff-ffffffffffff")


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
