"""The update: one user's compliance status as a sender reports it, with every rule of contract section 2.

A message is parsed once, all its faults are reported together, each with the JSON Pointer of the member to blame.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from shared.core.strict_json import Fault, InvalidMessage, pointer
from shared.core.timestamp import ticks

#: Graph's type, which the PATCH body names (F19).
ODATA_TYPE: Final = "#microsoft.graph.deviceComplianceUserStatus"
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUIDS = re.compile(f"{_GUID}(?:_{_GUID})*")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_USER_STATUS_ID = r"^[A-Za-z0-9\-_.~@:]{1,256}$"


class ComplianceStatus(StrEnum):
    """Graph's complianceStatus (F17), exact case."""

    UNKNOWN = "unknown"
    NOT_APPLICABLE = "notApplicable"
    COMPLIANT = "compliant"
    REMEDIATED = "remediated"
    NON_COMPLIANT = "nonCompliant"
    ERROR = "error"
    CONFLICT = "conflict"
    NOT_ASSIGNED = "notAssigned"


def _rule[T](accepts: Callable[[T], bool], detail: str) -> AfterValidator:
    def check(value: T) -> T:
        if not accepts(value):
            raise ValueError(detail)
        return value

    return AfterValidator(check)


def _no_control(text: str) -> bool:
    return not any(unicodedata.category(character) == "Cc" for character in text)


_PLAIN = _rule(_no_control, "must not hold control characters")
_NOT_DOTS = _rule(lambda text: text not in (".", ".."), "must not be . or ..")
_INSTANT = _rule(
    lambda text: ticks(text) is not None,
    "must be an RFC 3339 date-time with an offset or Z and up to 7 fraction digits, and exist in the calendar",
)
_PRINTABLE = _rule(str.isprintable, "must be printable characters")
_TRACE = _rule(lambda text: _TRACEPARENT.fullmatch(text) is not None, "must be a W3C traceparent of version 00")
_OF_GRAPH = _rule(lambda text: text == ODATA_TYPE, f"must be {ODATA_TYPE}")
_STATUS = _rule(lambda text: text in set(ComplianceStatus), f"must be one of {', '.join(ComplianceStatus)}")

type PolicyId = Annotated[str, Field(pattern=f"^{_GUID}$", json_schema_extra={"format": "uuid"})]
type UserStatusId = Annotated[str, Field(pattern=_USER_STATUS_ID), _NOT_DOTS]
type PrincipalName = Annotated[str, Field(min_length=1, max_length=1024), _PLAIN]
_STATUS_SCHEMA: dict[str, Any] = {"enum": [str(status) for status in ComplianceStatus]}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class UserStatus(_Model):
    """The properties to write: at least one; only those given are sent."""

    user_display_name: Annotated[str, Field(max_length=256), _PLAIN] = Field(None, alias="userDisplayName")  # type: ignore[assignment]
    devices_count: Annotated[int, Field(ge=0, le=2_147_483_647)] = Field(None, alias="devicesCount")  # type: ignore[assignment]
    status: Annotated[str, _STATUS] = Field(None, json_schema_extra=_STATUS_SCHEMA)  # type: ignore[assignment]
    last_reported_date_time: Annotated[str, _INSTANT] = Field(  # type: ignore[assignment]
        None, alias="lastReportedDateTime", json_schema_extra={"format": "date-time"}
    )
    user_principal_name: PrincipalName = Field(None, alias="userPrincipalName")  # type: ignore[assignment]
    odata_type: Annotated[str, _OF_GRAPH] = Field(None, alias="@odata.type")  # type: ignore[assignment]
    id: str = Field(None)  # type: ignore[assignment]

    def properties(self) -> dict[str, str | int]:
        """The given ones of the five, under Graph's names and in its order."""
        given = self.model_dump(by_alias=True, exclude_unset=True, include=_WRITTEN)
        return {name: given[name] for name in PROPERTIES if name in given}


_WRITTEN = {"user_display_name", "devices_count", "status", "last_reported_date_time", "user_principal_name"}
#: deviceComplianceUserStatus without its key (F16).
PROPERTIES = ("userDisplayName", "devicesCount", "status", "lastReportedDateTime", "userPrincipalName")


class Update(_Model):
    """One update message; exactly one of user status id and userPrincipalName is given."""

    device_compliance_policy_id: PolicyId = Field(alias="deviceCompliancePolicyId")
    device_compliance_user_status_id: UserStatusId | None = Field(None, alias="deviceComplianceUserStatusId")
    user_principal_name: PrincipalName | None = Field(None, alias="userPrincipalName")
    user_status: UserStatus = Field(alias="userStatus")
    idempotency_key: Annotated[str, Field(min_length=1, max_length=255), _PRINTABLE] | None = Field(
        None, alias="idempotencyKey"
    )
    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    traceparent: Annotated[str, _TRACE] | None = None

    def to_message(self) -> dict[str, Any]:
        """The message as accepted: only the members that were given."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def fingerprint(self) -> str:
        """The payload's identity: two messages with one are the same update, whoever traces or repeats them."""
        payload = self.model_dump(
            by_alias=True, exclude_unset=True, exclude={"traceparent", "idempotency_key", "source"}
        )
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def parse_update(document: object, *, at: str = "") -> Update | InvalidMessage:
    """An update, or all faults of the document; ``at`` is the pointer of the document in what was sent."""
    if not isinstance(document, dict):
        return InvalidMessage((Fault(at, "must be a JSON object"),))
    update, faults = None, []
    try:
        update = Update.model_validate(document)
    except ValidationError as error:
        faults = [_fault(at, one) for one in error.errors(include_url=False, include_input=False)]
    faults += [Fault(at + where, detail) for where, detail in _across(document)]
    if update is None or faults:
        return InvalidMessage(tuple(dict.fromkeys(faults)))
    return update


def user_status_key(policy_id: str, user_status_id: str) -> str:
    """What tells one user status from another; GUIDs are the same in either case, other ids are taken as they are."""
    same = user_status_id.lower() if _GUIDS.fullmatch(user_status_id) else user_status_id
    return hashlib.sha256(f"{policy_id.lower()}\n{same}".encode()).hexdigest()[:40]


def _across(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Rules about several members: told even when other members are wrong."""
    by_id, by_name = "deviceComplianceUserStatusId" in document, "userPrincipalName" in document
    if not by_id and not by_name:
        yield "/deviceComplianceUserStatusId", "is required, or a top-level userPrincipalName instead"
    if by_id and by_name:
        yield "/userPrincipalName", "must not come together with deviceComplianceUserStatusId"
    status = document.get("userStatus")
    if not isinstance(status, dict):
        return
    if not status.keys() & set(PROPERTIES):
        yield "/userStatus", f"must hold at least one of {', '.join(PROPERTIES)}"
    if "id" in status and status["id"] != document.get("deviceComplianceUserStatusId"):
        yield "/userStatus/id", "must equal deviceComplianceUserStatusId"


def _fault(at: str, error: ErrorDetails) -> Fault:
    return Fault(at + pointer(*(_short(part) for part in error["loc"])), _detail(error))


def _short(part: str | int) -> str | int:
    return part if isinstance(part, int) or len(part) <= 100 else part[:100] + "…"  # noqa: PLR2004 - what fits a line


_DETAILS = {
    "missing": "is required",
    "extra_forbidden": "is not a member of this message",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}
_PATTERNS = {
    "deviceCompliancePolicyId": "must be a GUID such as 3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11",
    "deviceComplianceUserStatusId": "must be 1 to 256 of A-Z a-z 0-9 - _ . ~ @ :",
    "source": "must be 1 to 64 of A-Z a-z 0-9 . _ -",
}


def _detail(error: ErrorDetails) -> str:
    if error["type"] == "string_pattern_mismatch":
        return _PATTERNS[str(error["loc"][-1])]
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    return _DETAILS.get(error["type"], "is not valid").format(**error.get("ctx", {}))
