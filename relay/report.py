"""What became of every row, as CSV that a spreadsheet opens safely; one pass over the ledger."""

import csv
from pathlib import Path
from typing import TextIO

from relay.failure import wrong
from relay.ledger import Ledger

COLUMNS = ("line", "user", "status", "statusDetail", "id", "errorCode", "error", "sameAsLine")
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def opened(path: Path, source: Path | None) -> TextIO:
    """The report, before anything is sent: one that cannot be written must not be found out afterwards."""
    try:
        if source is not None and path.exists() and path.samefile(source):
            raise wrong("the report would overwrite the file that is submitted", "give --report another name")
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise wrong(f"the report {path} cannot be written: {error.strerror}") from None


def write(ledger: Ledger, file: TextIO) -> None:
    """A line for each row, by its line in the file."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for one in ledger.entries():
        cells = (one.line, one.user, one.status, one.detail, one.id, one.code, "; ".join(one.reasons), one.same_as)
        writer.writerow([_safe(cell) for cell in cells])


def _safe(cell: str | int | None) -> str | int | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
