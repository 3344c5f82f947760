"""Tables of updates and checks. Text of the relay is shown as it is, without its control characters."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from relay.output.screen import Screen
from relay.output.text import printable

_ID_WIDTH = 36
_STYLES = {
    "succeeded": "green",
    "ok": "green",
    "failed": "bold red",
    "failing": "bold red",
    "refused": "bold red",
    "invalid": "bold red",
    "canceled": "yellow",
    "unknown": "yellow",
    "running": "cyan",
    "notStarted": "cyan",
    "skipped": "dim",
}
#: Members of an update that are shown as they are, in this order.
_MEMBERS = (
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
_ATTEMPT = ("startedDateTime", "statusCode", "code", "durationMilliseconds", "requestId", "retryAfterSeconds")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of plain cells; a cell that is a status has its colour."""
    result = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for name in columns:  # an id is there to be copied: it is folded where room is short, never cut
        result.add_column(name, overflow="fold", min_width=_ID_WIDTH if name == "id" else None)
    for row in rows:
        result.add_row(*(cell(value) for value in row))
    return result


def cell(value: object) -> Text:
    """Return a value as plain text."""
    text = "" if value is None else printable(str(value))
    return Text(text, _STYLES.get(text.partition(" ")[0], ""))


def update_table(updates: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table with a row per update."""
    return table(("created", "id", "status", "user", "source", "error"), map(_update_row, updates))


def user_of(update: Mapping[str, Any]) -> object:
    """Return the user status id or the principal name of an update."""
    return update.get("deviceComplianceUserStatusId") or update.get("userPrincipalName")


def status_of(update: Mapping[str, Any]) -> str:
    """Return the status of an update and its detail."""
    return f"{update.get('status')} {update.get('statusDetail') or ''}".strip()


def show_update(screen: Screen, update: Mapping[str, Any]) -> None:
    """Print one update with all its members and attempts, or its JSON."""
    if screen.as_json:
        screen.document(update)
        return
    rows: list[tuple[str, object]] = [("status", status_of(update)), ("user", user_of(update))]
    rows += [(name, update[name]) for name in _MEMBERS if update.get(name) is not None]
    rows += [(f"userStatus.{name}", value) for name, value in (update.get("userStatus") or {}).items()]
    rows += _error_rows(update.get("error") or {})
    screen.out.print(table(("", ""), rows))
    attempts = update.get("attempts") or ()
    if attempts:
        screen.out.print(table(_ATTEMPT, ([attempt.get(name) for name in _ATTEMPT] for attempt in attempts)))


def _update_row(update: Mapping[str, Any]) -> tuple[object, ...]:
    error = update.get("error") or {}
    created, update_id, source = (update.get(name) for name in ("createdDateTime", "id", "source"))
    return created, update_id, status_of(update), user_of(update), source, error.get("code")


def _error_rows(error: Mapping[str, Any]) -> list[tuple[str, object]]:
    if not error:
        return []
    rows: list[tuple[str, object]] = [("error", f"{error.get('code')}: {error.get('message')}")]
    rows += [("", f"{fault.get('pointer')} {fault.get('detail')}") for fault in error.get("errors") or ()]
    inner = error.get("innerError") or {}
    return rows + [(f"error.{name}", value) for name, value in inner.items() if value is not None]
