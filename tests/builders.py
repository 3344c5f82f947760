"""Valid things by default, with just what a test cares about changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.basics.update_id import new_update_id
from shared.core.intake.envelope import Envelope
from shared.core.intake.update import Update, parse_update

NOW = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
POLICY = "3f1c2a4e-6a0d-4c58-9b7e-0d5b6d1c9a11"
USER = "a0b566cd-66cd-a0b5-cd66-b5a0cd66b5a0"
EXAMPLE = {
    "userDisplayName": "User Display Name value",
    "devicesCount": 12,
    "status": "notApplicable",
    "lastReportedDateTime": "2017-01-01T00:00:17.7769392-08:00",
    "userPrincipalName": "User Principal Name value",
}


def a_message(**changes: Any) -> dict[str, Any]:
    """The documented example; a change to ``None`` leaves the member out."""
    message = {
        "deviceCompliancePolicyId": POLICY,
        "deviceComplianceUserStatusId": USER,
        "userStatus": dict(EXAMPLE),
    } | changes
    return {name: value for name, value in message.items() if value is not None}


def an_update(**changes: Any) -> Update:
    """The example, parsed."""
    update = parse_update(a_message(**changes))
    assert isinstance(update, Update), update
    return update


def an_id(seconds: float = 0, n: int = 0) -> str:
    """An update accepted that long after ``NOW``."""
    return new_update_id(NOW + timedelta(seconds=seconds), n)


def an_envelope(seconds: float = 0, n: int = 0, attempt: int = 1, **changes: Any) -> Envelope:
    """The example on its way."""
    return Envelope(id=an_id(seconds, n), attempt=attempt, update=an_update(**changes))


def reported(at: str, **properties: Any) -> dict[str, Any]:
    """A user status reported at that time of the day of ``NOW``."""
    return {"status": "compliant", "lastReportedDateTime": f"2026-11-23T{at}Z"} | properties
