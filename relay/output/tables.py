"""Tables of updates and checks. Text of the relay is shown as it is, without its control characters."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from relay.output.screen import Screen
from relay.output.text import printable

#: The widths of columns whose cells stay in one piece: ids, times, statuses. A user status id may be two GUIDs.
_WIDTHS = {"id, user": 37, "request id": 36, "created": 24, "started": 24, "status, error": 22}
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
    "priority",
    "submittedBy",
    "supersededBy",
    "replayOf",
    "replayedBy",
    "attemptCount",
    "rawMessage",
)


@dataclass(frozen=True)
class Lines:
    """A cell of several lines, without those that are None."""

    lines: tuple[object, ...]

    def __str__(self) -> str:
        return "\n".join(printable(str(line)) for line in self.lines if line is not None)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Return a table of plain cells; a cell that is a status has its colour. What lacks room is folded, never cut."""
    result = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for name in columns:
        result.add_column(name, overflow="fold", width=_WIDTHS.get(name))
    for row in rows:
        result.add_row(*(cell(value) for value in row))
    return result


def cell(value: object) -> Text:
    """Return a value as plain text."""
    text = "" if value is None else str(value) if isinstance(value, Lines) else printable(str(value))
    return Text(text, _STYLES.get(text.partition("\n")[0].partition(" ")[0], ""))


def update_table(updates: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table with a row per update."""
    return table(("created", "id, user", "status, error", "source"), map(_update_row, updates))


def audit_table(records: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table with a row per audit record."""
    columns = ("createdDateTime", "action", "result", "by", "target")
    return table(("created", *columns[1:]), ([record.get(name) for name in columns] for record in records))


def pause_table(pauses: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table with a row per pause."""
    columns = ("created", "id, reason", "held", "what", "by", "ends")
    return table(columns, map(_pause_row, pauses))


def _pause_row(pause: Mapping[str, Any]) -> tuple[object, ...]:
    scope = ", ".join(f"{name} {value}" for name, value in pause["scope"].items()) or "everything"
    who = "the brake" if pause["kind"] == "brake" else pause.get("createdBy")
    name = Lines((pause["id"], pause["reason"]))
    return pause["createdDateTime"], name, pause["heldCount"], scope, who, pause.get("endsDateTime")


def show_pause(screen: Screen, pause: Mapping[str, Any]) -> None:
    """Print a pause: a table for people, the object for machines."""
    screen.document(pause)
    if not screen.as_json:
        screen.out.print(pause_table([pause]))


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
        screen.out.print(table(("started", "answer", "ms", "request id"), map(_attempt_row, attempts)))


def _update_row(update: Mapping[str, Any]) -> tuple[object, ...]:
    error = update.get("error") or {}
    id_and_user = Lines((update.get("id"), user_of(update)))
    return (
        update.get("createdDateTime"),
        id_and_user,
        Lines((status_of(update), error.get("code"))),
        update.get("source"),
    )


def _attempt_row(attempt: Mapping[str, Any]) -> tuple[object, ...]:
    status, code, seconds = (attempt.get(name) for name in ("statusCode", "code", "retryAfterSeconds"))
    reply = " ".join(str(value) for value in (status, code) if value is not None)
    answer = Lines((reply, None if seconds is None else f"retry after {seconds} s"))
    return attempt.get("startedDateTime"), answer, attempt.get("durationMilliseconds"), attempt.get("requestId")


def _error_rows(error: Mapping[str, Any]) -> list[tuple[str, object]]:
    if not error:
        return []
    rows: list[tuple[str, object]] = [("error", f"{error.get('code')}: {error.get('message')}")]
    rows += [("", f"{fault.get('pointer')} {fault.get('detail')}") for fault in error.get("errors") or ()]
    inner = error.get("innerError") or {}
    return rows + [(f"error.{name}", value) for name, value in inner.items() if value is not None]
