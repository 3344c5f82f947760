"""The check of all rows before the first one is sent."""

from collections.abc import Iterable

from relay.rows.row import InvalidRow, Row, RowFault
from relay.submission.progress import Progress
from relay.submission.submission_log import SubmissionLog

_ROWS_PER_STEP = 1000


def check_rows(rows: Iterable[Row | InvalidRow], log: SubmissionLog, progress: Progress) -> None:
    """Add all rows to the log. Raise ``UnreadableFile``."""
    number = 0
    for number, row in enumerate(rows, 1):
        _add(row, log)
        if number % _ROWS_PER_STEP == 0:
            progress.step("checked", number, None)
    progress.step("checked", number, number)


def _add(row: Row | InvalidRow, log: SubmissionLog) -> None:
    if isinstance(row, InvalidRow):
        log.add_invalid(row)
        return
    earlier = log.add(row)
    if earlier is not None and not earlier.is_same_update:
        fault = RowFault("idempotencyKey", f"is that of line {earlier.line}, whose content is another")
        log.add_invalid(InvalidRow(row.line, (fault,)))
