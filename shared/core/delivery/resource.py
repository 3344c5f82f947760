"""The update resource: an outcome as callers see it."""

from typing import Any

from shared.core.basics.timestamp import format_milliseconds
from shared.core.delivery.outcome import Attempt, Outcome
from shared.core.delivery.verification import Verification
from shared.core.intake.update_schema import NORMAL

#: Every ``error.code`` that an update can show, those of updates that still wait included.
ERROR_CODES = (
    "invalidMessage",
    "graphRejected",
    "operationNotSupported",
    "deadlineExceeded",
    "poisoned",
    "idempotencyKeyConflict",
    "userStatusNotFound",
    "userStatusAmbiguous",
    "expired",
    "identityUnavailable",
    "graphUnavailable",
    "throttled",
    "notAuthorized",
    "approvalRequired",
)


def resource(outcome: Outcome, *, whole: bool = True) -> dict[str, Any]:
    """The JSON object; without ``whole`` as in lists: no attempts, result, raw message."""
    update, named = outcome.update, outcome.named
    members: dict[str, Any] = {
        "id": outcome.id,
        "status": outcome.state.status,
        "statusDetail": outcome.state.detail,
        "deviceCompliancePolicyId": named and named.device_compliance_policy_id,
        "deviceComplianceUserStatusId": named and named.device_compliance_user_status_id,
        "userStatus": update and update.user_status,
        "source": named and named.source,
        "idempotencyKey": named and named.idempotency_key,
        "priority": update.priority if update else NORMAL,
        "expiresDateTime": update and update.message.get("expiresDateTime"),
        "submittedBy": outcome.submitted_by,
        "createdDateTime": format_milliseconds(outcome.created),
        "lastActionDateTime": format_milliseconds(outcome.last_action),
        "nextAttemptDateTime": outcome.next_attempt and format_milliseconds(outcome.next_attempt),
        "attemptCount": outcome.attempt_count,
        "error": outcome.error,
        "supersededBy": outcome.superseded_by,
        "replayOf": outcome.replay_of,
        "replayedBy": outcome.replayed_by,
        "heldBy": outcome.held_by,
        "verification": outcome.verification and _verification(outcome.verification),
    }
    if update and update.user_principal_name is not None:
        members["userPrincipalName"] = update.user_principal_name
    return members | _rest(outcome) if whole else members


def _rest(outcome: Outcome) -> dict[str, Any]:
    rest: dict[str, Any] = {"attempts": [_attempt(attempt) for attempt in outcome.attempts], "result": outcome.result}
    if outcome.raw_message is not None:
        rest["rawMessage"] = outcome.raw_message
        if outcome.raw_message_encoding is not None:
            rest["rawMessageEncoding"] = outcome.raw_message_encoding
    return rest


def _verification(verification: Verification) -> dict[str, Any]:
    return {"state": verification.state.value, "checkedDateTime": format_milliseconds(verification.checked)}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "startedDateTime": format_milliseconds(attempt.started),
        "durationMilliseconds": attempt.duration_milliseconds,
        "statusCode": attempt.status_code,
        "code": attempt.code,
        "requestId": attempt.request_id,
        "clientRequestId": attempt.client_request_id,
        "retryAfterSeconds": attempt.retry_after_seconds,
    }
