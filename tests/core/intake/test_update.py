"""Every rule of the update message, with the exact pointer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.strict_json import InvalidMessage
from shared.core.intake.update import Update, parse_update, user_status_key
from tests.builders import EXAMPLE, POLICY, USER, a_message, an_update

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)


def pointers(document: Any) -> list[str]:
    """Where a document is wrong."""
    parsed = parse_update(document)
    assert isinstance(parsed, InvalidMessage), parsed
    return sorted(fault.pointer for fault in parsed.faults)


def test_the_documented_example_is_valid_member_for_member() -> None:
    """The timestamp keeps its seventh digit and its offset."""
    assert an_update().properties() == EXAMPLE
    assert an_update().message == a_message()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("deviceCompliancePolicyId", "3f1c2a4e"),
        ("deviceCompliancePolicyId", POLICY + "\n"),
        ("deviceCompliancePolicyId", 3),
        ("deviceComplianceUserStatusId", ""),
        ("deviceComplianceUserStatusId", "a" * 257),
        ("deviceComplianceUserStatusId", "."),
        ("deviceComplianceUserStatusId", ".."),
        ("deviceComplianceUserStatusId", "a/b"),
        ("deviceComplianceUserStatusId", "a%2fb"),
        ("deviceComplianceUserStatusId", "a'b"),
        ("deviceComplianceUserStatusId", "é"),
        ("userStatus", {}),
        ("userStatus", {"@odata.type": "#microsoft.graph.deviceComplianceUserStatus"}),
        ("userStatus", []),
        ("userStatus", "x"),
        ("idempotencyKey", ""),
        ("idempotencyKey", "k" * 256),
        ("idempotencyKey", "a\nb"),
        ("source", ""),
        ("source", "a b"),
        ("source", "s" * 65),
        ("unknown", 1),
        ("a/b~c", 1),
    ],
)
def test_a_bad_member_is_named(member: str, value: Any) -> None:
    """The pointer is the member's."""
    escaped = member.replace("~", "~0").replace("/", "~1")
    assert pointers(a_message(**{member: value})) == [f"/{escaped}"]


@pytest.mark.parametrize("member", ["deviceCompliancePolicyId", "userStatus", "idempotencyKey", "source"])
def test_null_is_a_wrong_type(member: str) -> None:
    """No member takes null."""
    assert pointers(a_message() | {member: None}) == [f"/{member}"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("devicesCount", -1),
        ("devicesCount", 2_147_483_648),
        ("devicesCount", True),
        ("devicesCount", 12.0),
        ("devicesCount", "12"),
        ("devicesCount", None),
        ("status", "Compliant"),
        ("status", "noncompliant"),
        ("status", 2),
        ("lastReportedDateTime", "2017-01-01"),
        ("lastReportedDateTime", "2017-01-01T00:00:17"),
        ("lastReportedDateTime", "2017-01-01 00:00:17Z"),
        ("lastReportedDateTime", "2017-01-01T00:00:17.Z"),
        ("lastReportedDateTime", "2017-01-01T00:00:17.12345678Z"),
        ("lastReportedDateTime", "2017-02-29T00:00:00Z"),
        ("lastReportedDateTime", "2017-01-01T24:00:00Z"),
        ("lastReportedDateTime", "2016-12-31T23:59:60Z"),
        ("lastReportedDateTime", "2017-01-01T00:00:00+14:01"),
        ("lastReportedDateTime", "0001-01-01T00:00:00+01:00"),
        ("lastReportedDateTime", 1_483_228_817),
        ("userPrincipalName", ""),
        ("userPrincipalName", "u" * 1025),
        ("userPrincipalName", "a\u0000b"),
        ("userDisplayName", "n" * 257),
        ("userDisplayName", "a\u0085b"),
        ("userDisplayName", "a\u007fb"),
        ("@odata.type", "#microsoft.graph.deviceStatus"),
        ("id", "another"),
        ("id", 3),
        ("deviceCount", 1),
    ],
)
def test_a_bad_property_is_named(member: str, value: Any) -> None:
    """The pointer is the property's."""
    assert pointers(a_message(userStatus={**EXAMPLE, member: value})) == [f"/userStatus/{member}"]


@pytest.mark.parametrize(
    "status",
    [
        {"devicesCount": 0},
        {"devicesCount": 2_147_483_647},
        {"userDisplayName": ""},
        {"userDisplayName": "\U0001f600" * 256},
        {"userPrincipalName": "u" * 1024},
        {"lastReportedDateTime": "2017-01-01T00:00:17Z"},
        {"lastReportedDateTime": "2016-02-29T23:59:59.9999999+14:00"},
        {"status": "notAssigned", "@odata.type": "#microsoft.graph.deviceComplianceUserStatus", "id": USER},
    ],
)
def test_what_lies_on_the_edge_is_still_valid(status: dict[str, Any]) -> None:
    """A partial update carries only what it is given."""
    sent = {name: value for name, value in status.items() if name not in ("id", "@odata.type")}
    assert an_update(userStatus=status).properties() == sent


def test_all_faults_are_told_at_once() -> None:
    """One round trip is enough to mend a message."""
    document = {"x": 1, "userStatus": {"status": "no", "devicesCount": True, "id": "q"}, "source": "a b"}
    assert pointers(document) == [
        "/deviceCompliancePolicyId",
        "/deviceComplianceUserStatusId",
        "/source",
        "/userStatus/devicesCount",
        "/userStatus/id",
        "/userStatus/status",
        "/x",
    ]


def test_a_user_is_named_by_id_or_by_principal_name_but_not_both() -> None:
    """One of them is required."""
    by_name = a_message(deviceComplianceUserStatusId=None, userPrincipalName="a@b.example")
    assert isinstance(parse_update(by_name), Update)
    assert pointers(a_message(userPrincipalName="a@b.example")) == ["/userPrincipalName"]
    assert pointers(a_message(deviceComplianceUserStatusId=None)) == ["/deviceComplianceUserStatusId"]


@pytest.mark.parametrize("document", [None, 1, "x", [], [a_message()]])
def test_a_message_is_an_object(document: Any) -> None:
    """Anything else is refused as a whole."""
    assert pointers(document) == [""]


@given(JSONS)
def test_no_document_makes_the_parser_raise(document: Any) -> None:
    """Whatever JSON holds, the answer is a value."""
    assert isinstance(parse_update(document), Update | InvalidMessage)


@given(st.dictionaries(st.sampled_from([*a_message(), "source", "idempotencyKey", "zz"]), JSONS))
def test_no_members_make_the_parser_raise(members: dict[str, Any]) -> None:
    """Nor whatever the known members hold."""
    assert isinstance(parse_update(a_message() | members), Update | InvalidMessage)


def test_the_fingerprint_is_the_payloads_alone() -> None:
    """Tracing, keys and who sends do not count; a value does."""
    plain = an_update()
    traced = an_update(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", idempotencyKey="k", source="s")
    assert plain.fingerprint() == traced.fingerprint()
    assert plain.fingerprint() != an_update(userStatus={"devicesCount": 1}).fingerprint()


def test_a_guid_is_the_same_user_in_either_case_and_other_ids_are_not() -> None:
    """Order is kept per user, however the id is spelled."""
    assert user_status_key(POLICY, USER) == user_status_key(POLICY.upper(), USER.upper())
    assert user_status_key(POLICY, "abc") != user_status_key(POLICY, "ABC")
