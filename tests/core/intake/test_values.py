"""Values as real senders send them: times, principal names, trace contexts, members that a platform adds."""

import json
from typing import Any

import pytest

from shared.core.basics.strict_json import InvalidMessage
from shared.core.basics.timestamp import ticks_of
from shared.core.basics.version import version_of
from shared.core.intake.envelope import Received, Unreadable, read_queue_message
from shared.core.intake.update import Update, parse_update
from tests.builders import NOW, a_message, an_id

CONTEXT = "1" * 32 + "-" + "2" * 16


def faults(document: Any) -> dict[str, str]:
    """Return a document's faults by their pointers."""
    parsed = parse_update(document)
    assert isinstance(parsed, InvalidMessage), parsed
    return {fault.pointer: fault.detail for fault in parsed.faults}


@pytest.mark.parametrize(
    "never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000Z", "0001-12-31T23:59:59.9999999Z"]
)
def test_a_report_of_the_year_1_is_passed_on_and_orders_by_acceptance(never: str) -> None:
    """Graph's "never reported" is no report time: as one, every later value would be newer for ever."""
    update = parse_update(a_message(userStatus={"status": "compliant", "lastReportedDateTime": never}))
    assert isinstance(update, Update)
    assert update.properties()["lastReportedDateTime"] == never
    assert version_of(never, an_id()).instant == ticks_of(NOW)


@pytest.mark.parametrize(
    ("name", "escape"),
    [
        ("a@contoso.example ", "\\u0020"),
        (" a@contoso.example", "\\u0020"),
        ("\u00a0a@contoso.example", "\\u00a0"),
        ("a@contoso.example\u200b", "\\u200b"),
        ("a\u200bb@contoso.example", "\\u200b"),
        ("a\u0007@contoso.example", "\\u0007"),
        ("\ufeffa@contoso.example", "\\ufeff"),
    ],
)
def test_a_name_to_look_up_has_no_invisible_characters(name: str, escape: str) -> None:
    """It would never be found; the fault shows the character escaped."""
    found = faults(a_message(deviceComplianceUserStatusId=None, userPrincipalName=name))
    assert list(found) == ["/userPrincipalName"]
    assert escape in found["/userPrincipalName"]
    assert found["/userPrincipalName"].isprintable()


def test_a_name_that_is_only_a_value_is_passed_on() -> None:
    """What Graph shows is the sender's affair."""
    assert isinstance(parse_update(a_message(userStatus={"userPrincipalName": " a b\u200b "})), Update)


@pytest.mark.parametrize("time", ["2017-01-01T00:00:00+14:01", "2016-12-31T23:59:60Z"])
def test_the_fault_of_a_time_names_the_limits(time: str) -> None:
    """Offsets beyond 14:00 and leap seconds are what .NET's DateTimeOffset refuses."""
    (detail,) = faults(a_message(userStatus={"lastReportedDateTime": time})).values()
    assert "14:00" in detail
    assert "leap second" in detail


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (f"00-{CONTEXT}-01", f"00-{CONTEXT}-01"),
        (f"cc-{CONTEXT}-01-what-the-future-will-be-like", f"00-{CONTEXT}-01"),
        ("00-0-0-00", None),
        (f"ff-{CONTEXT}-01", None),
        (f"00-{'0' * 32}-{'1' * 16}-01", None),
        (f"00-{CONTEXT}-01-more", None),
        ("", None),
        (None, None),
        (7, None),
        ({"a": 1}, None),
    ],
)
def test_no_trace_context_fails_a_message(sent: Any, read: str | None) -> None:
    """A later version is read as far as version 00 goes; what cannot be read is left out."""
    body = a_message() | {"traceparent": sent}
    update = parse_update(body)
    assert isinstance(update, Update)
    assert ("traceparent" in update.message) == (read is not None)
    received = read_queue_message(_json(body), message_id="m", inserted=NOW)
    assert isinstance(received, Received)
    assert received.envelope.trace == read


def test_what_dotnet_adds_to_a_queue_message_is_ignored() -> None:
    """``$AzureWebJobsParentId``, at the top level alone."""
    parent = {"$AzureWebJobsParentId": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    received = read_queue_message(_json(a_message() | parent), message_id="m", inserted=NOW)
    assert isinstance(received, Received)
    assert received.envelope.update.message == a_message()
    inside = a_message(userStatus={"status": "compliant"} | parent)
    assert isinstance(read_queue_message(_json(inside), message_id="m", inserted=NOW), Unreadable)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
