"""Standard output and standard error: rich on a terminal, plain where they are piped, JSON on request.

Results go to standard output, progress and notices to standard error. Text of a file or of the relay is never read as
markup, and none of its control characters reach the terminal.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from relay.output.text import printable

#: Columns of a table where the output is no terminal.
_PIPED_WIDTH = 100


class Screen:
    """The output of one command; ``as_json`` prints for machines."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out, self.err = _console(stderr=False), _console(stderr=True)

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line of the result, unless the output is JSON."""
        if not self.as_json:
            self.out.print(Text(printable(text), style or ""), soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print a line to standard error."""
        self.err.print(Text(printable(text), "dim"), soft_wrap=True)

    def document(self, value: Any) -> None:
        """Print a JSON document on one line, if the output is JSON."""
        if self.as_json:
            print(json.dumps(value), file=sys.stdout, flush=True)  # noqa: T201 - the result

    def values(self, items: Iterable[Any]) -> None:
        """Print ``{"value": [...]}`` item by item, so that memory does not grow with the list."""
        write, separator = sys.stdout.write, ""
        write('{"value": [')
        for item in items:
            write(f"{separator}\n{json.dumps(item)}")
            separator = ","
        write("\n]}\n")

    def retrying(self, reason: str, seconds: float) -> None:
        """Print that a request is tried again in so many seconds."""
        self.notice(f"{reason}; trying again in {seconds:.0f} s (Ctrl-C stops)")

    @contextmanager
    def progress_bars(self) -> Iterator["ProgressBars"]:
        """Show progress bars; they appear on a terminal only."""
        columns = TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as progress:
            yield ProgressBars(progress)


class ProgressBars:
    """A bar per step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def step(self, name: str, done: int, total: int | None) -> None:
        """Show how much of a step is done; ``total`` is None while it is unknown."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done, total=total)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
