"""The report: what became of every row, as CSV that a spreadsheet opens safely."""

import csv
from pathlib import Path
from typing import TextIO

from relay.errors import usage_error
from relay.submission.submission_log import SubmissionLog

_COLUMNS = ("line", "user", "status", "statusDetail", "id", "errorCode", "error", "sameAsLine")
#: First characters that make a spreadsheet read a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def open_report(path: Path, source: Path | None) -> TextIO:
    """Open the report before anything is sent. Raise ``CommandError`` for one that cannot be written."""
    try:
        if source is not None and path.exists() and path.samefile(source):
            raise usage_error("the report would overwrite the file that is submitted", "give --report another name")
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise usage_error(f"the report {path} cannot be written: {error.strerror}") from None


def write_report(log: SubmissionLog, file: TextIO) -> None:
    """Write a line for each row, in the order of the file."""
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in log.entries():
        cells = (row.line, row.user, row.status, row.detail, row.id, row.code, "; ".join(row.reasons), row.same_as)
        writer.writerow([_without_formula(cell) for cell in cells])


def _without_formula(cell: str | int | None) -> str | int | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
