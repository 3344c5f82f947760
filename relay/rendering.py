"""What a person sees, and what a machine reads: rich on a terminal, plain where it is piped, JSON on demand.

Results go to standard output, progress and notices to standard error. No text of a file's or the relay's is taken for
markup, and none of its control characters reach the terminal.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

#: Piped tables are as wide as what they hold.
_PIPED_WIDTH = 1000
_ID_WIDTH = 36
STYLES = {
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


class Screen:
    """Standard output and standard error of one command."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out, self.err = _console(stderr=False), _console(stderr=True)

    def say(self, text: str, style: str | None = None) -> None:
        """A line of the result; not where a machine reads."""
        if not self.as_json:
            self.out.print(Text(printable(text), style or ""), soft_wrap=True)

    def notice(self, text: str) -> None:
        """A line beside the result."""
        self.err.print(Text(printable(text), "dim"), soft_wrap=True)

    def document(self, value: Any) -> None:
        """One JSON document on one line; only where a machine reads."""
        if self.as_json:
            print(json.dumps(value), file=sys.stdout, flush=True)  # noqa: T201 - the result

    def values(self, items: Iterable[Any]) -> None:
        """``{"value": [...]}`` item by item, so that memory does not grow with the list."""
        write, separator = sys.stdout.write, ""
        write('{"value": [')
        for item in items:
            write(f"{separator}\n{json.dumps(item)}")
            separator = ","
        write("\n]}\n")

    def retrying(self, why: str, seconds: float) -> None:
        """A ``patience.Notice``."""
        self.notice(f"{why}; trying again in {seconds:.0f} s (Ctrl-C stops)")

    @contextmanager
    def bar(self) -> Iterator["Bar"]:
        """Progress, on a terminal."""
        columns = TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as progress:
            yield Bar(progress)


class Bar:
    """``submission.Progress`` as bars."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def step(self, name: str, done: int, total: int | None) -> None:
        """So much of this step is done."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done, total=total)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain cells; those that are a status have its colour."""
    made = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for name in columns:  # an id is there to be copied: what lacks room is folded, never cut
        made.add_column(name, overflow="fold", min_width=_ID_WIDTH if name == "id" else None)
    for row in rows:
        made.add_row(*(cell(one) for one in row))
    return made


def cell(value: object) -> Text:
    """A value, plain."""
    text = "" if value is None else printable(str(value))
    return Text(text, STYLES.get(text.partition(" ")[0], ""))


def printable(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(
        one if one.isprintable() else " " if one in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text
    )


def duration(seconds: float) -> str:
    """``40 min``, rounded as a person would."""
    if seconds < 90:  # noqa: PLR2004 - until then seconds say more
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - as above


def update_rows(updates: Iterable[Mapping[str, Any]]) -> Table:
    """Updates as a table."""
    return table(("created", "id", "status", "user", "source", "error"), (_update_row(one) for one in updates))


def user_of(update: Mapping[str, Any]) -> object:
    """Whom an update is about."""
    return update.get("deviceComplianceUserStatusId") or update.get("userPrincipalName")


def status_of(update: Mapping[str, Any]) -> str:
    """Status and its detail."""
    return f"{update.get('status')} {update.get('statusDetail') or ''}".strip()


def _update_row(update: Mapping[str, Any]) -> tuple[object, ...]:
    error = update.get("error") or {}
    return (
        update.get("createdDateTime"),
        update.get("id"),
        status_of(update),
        user_of(update),
        update.get("source"),
        error.get("code"),
    )


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
