"""``submit``: the rows of a file as updates."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from relay.commands.options import RelayOptions, backoff
from relay.rows.column_map import ColumnMap, read_column_map
from relay.rows.options import Format, ReadOptions
from relay.rows.row import DEFAULT_SOURCE, RowDefaults
from relay.submission.submit import Submit, SubmitRequest
from relay.system import SystemClock
from shared.core.intake.limits import MAX_UPDATES
from shared.core.intake.update_schema import BULK, NORMAL

_NO_RETRY_SECONDS = 10


class Priority(Enum):
    """The lanes of the quota, as values of an option."""

    NORMAL = NORMAL
    BULK = BULK


@dataclass(frozen=True)
class FileOptions:
    """How the file is read."""

    policy: Annotated[str | None, typer.Option(help="deviceCompliancePolicyId of rows that have none.")] = None
    source: Annotated[
        str, typer.Option(help="source of rows that have none; idempotency keys are unique within it.")
    ] = DEFAULT_SOURCE
    run: Annotated[str, typer.Option(help="A label: the same rows under another label are new updates.")] = ""
    priority: Annotated[
        Priority | None, typer.Option(help="priority of rows that have none; bulk where this is not given either.")
    ] = None
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="The format, where the file's name or first character does not show it."),
    ] = None
    ignore_unknown: Annotated[bool, typer.Option("--ignore-unknown", help="Leave out columns that are not known.")] = (
        False
    )
    map_: Annotated[Path | None, typer.Option("--map", help="A JSON file that names the columns of an export.")] = None

    def read_options(self) -> ReadOptions:
        """Return the options, with the column map read. Raise ``CommandError``."""
        column_map = read_column_map(self.map_) if self.map_ else ColumnMap()
        return ReadOptions(
            self.format_,
            RowDefaults(self.policy, self.source, self.run, self.priority and self.priority.value),
            self.ignore_unknown,
            column_map,
        )


def submit(
    relay: RelayOptions,
    reading: FileOptions,
    file: Annotated[str, typer.Argument(help="CSV or JSON Lines; - is standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check every row and estimate the time; send nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every update is final.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a CSV with what became of each row.")] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Send the valid rows of a file with invalid ones.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, max=MAX_UPDATES, help="Updates in a request.")] = 500,
    wait_seconds: Annotated[float | None, typer.Option(min=0, help="Wait no longer than this (with --wait).")] = None,
    retry_seconds: Annotated[
        float, typer.Option(min=0, max=86400, help="Give up after so many seconds without a success.")
    ] = 300,
) -> None:
    """Submit the rows of a file as updates. The same command again is safe: it goes on where it stopped.

    CSV columns: deviceCompliancePolicyId; deviceComplianceUserStatusId, or userPrincipalName for the relay to find the
    user; status, devicesCount, lastReportedDateTime, userDisplayName, userStatus.userPrincipalName (at least one);
    source; idempotencyKey; priority. An empty cell is no value. A row's number is the line on which it begins.
    """
    screen = relay.screen()
    retries = backoff(screen, retry_seconds)
    no_retry = backoff(screen, 0 if dry_run else min(_NO_RETRY_SECONDS, retry_seconds))
    request = SubmitRequest(
        file=file,
        read=reading.read_options(),
        report=report,
        batch_rows=batch_size,
        wait_seconds=wait_seconds,
        dry_run=dry_run,
        wait=wait,
        skip_invalid=skip_invalid,
    )
    submission = Submit(relay.client_with(retries), relay.client_with(no_retry), retries, SystemClock(), screen)
    raise typer.Exit(submission(request))
