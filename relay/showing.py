"""One update as a person reads it."""

from collections.abc import Mapping
from typing import Any

from relay.rendering import Screen, status_of, table, user_of

_PLAIN = (
    "id",
    "createdDateTime",
    "lastActionDateTime",
    "nextAttemptDateTime",
    "deviceCompliancePolicyId",
    "source",
    "idempotencyKey",
    "submittedBy",
    "supersededBy",
    "replayOf",
    "replayedBy",
    "attemptCount",
    "rawMessage",
)


def show_update(screen: Screen, update: Mapping[str, Any]) -> None:
    """All that is known of it, or the resource for a machine."""
    if screen.as_json:
        screen.document(update)
        return
    rows: list[tuple[str, object]] = [("status", status_of(update)), ("user", user_of(update))]
    rows += [(name, update[name]) for name in _PLAIN if update.get(name) is not None]
    rows += [(f"userStatus.{name}", value) for name, value in (update.get("userStatus") or {}).items()]
    rows += list(_error(update.get("error") or {}))
    screen.out.print(table(("", ""), rows))
    attempts = update.get("attempts") or ()
    if attempts:
        names = ("startedDateTime", "statusCode", "code", "durationMilliseconds", "requestId", "retryAfterSeconds")
        screen.out.print(table(names, ([one.get(name) for name in names] for one in attempts)))


def _error(error: Mapping[str, Any]) -> list[tuple[str, object]]:
    if not error:
        return []
    inner = error.get("innerError") or {}
    rows: list[tuple[str, object]] = [("error", f"{error.get('code')}: {error.get('message')}")]
    rows += [("", f"{one.get('pointer')} {one.get('detail')}") for one in error.get("errors") or ()]
    return rows + [(f"error.{name}", value) for name, value in inner.items() if value is not None]
