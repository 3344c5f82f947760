"""CSV as spreadsheets write it becomes rows: any of three delimiters, quoted newlines, ragged and empty lines. Pure."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from relay.columns import DELIMITERS, Columns, columns, known
from relay.rows import BadRow, Common, Row, RowFault, UnreadableFile, not_utf8, row

_SEPARATOR = re.compile(r"sep=(.)\s*")  # Excel's own first line
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


def csv_rows(lines: Iterable[str], common: Common, *, ignore_unknown: bool = False) -> Iterator[Row | BadRow]:
    """Raises ``UnreadableFile`` for a header that is wrong, and where quotes make the rest unreadable."""
    count = _Counted(lines)
    delimiter, first = _delimiter(count)
    if first is None:
        raise UnreadableFile("the file is empty: a header and rows are wanted")
    records = _records(chain([first], count), delimiter, before=count.number - 1)
    line, header = next(records)
    garbled = not_utf8("".join(header))
    if garbled:
        raise UnreadableFile(f"the header {garbled}", line)
    known_columns = columns(header, common, line, ignore_unknown=ignore_unknown)
    for line, cells in records:
        if any(cell.strip() for cell in cells):
            yield _row(line, cells, known_columns, common)


class _Counted:
    """Lines, and how many were taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.number = iter(lines), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def _delimiter(lines: _Counted) -> tuple[str, str | None]:
    """What the header's cells stand apart by, and the header's first line."""
    said: str | None = None
    for line in lines:
        separator = _SEPARATOR.fullmatch(line.strip()) if lines.number == 1 else None
        if separator:
            said = separator[1]
        elif line.strip():
            return said or max(DELIMITERS, key=lambda one: known(next(csv.reader([line], delimiter=one)))), line
    return ",", None


def _records(lines: Iterable[str], delimiter: str, *, before: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(_QUOTES.get(str(error), str(error)), line) from None
        yield line, cells


_QUOTES = {
    "unexpected end of data": "a quote is opened in this row and never closed",
    "field larger than field limit (131072)": "a quote is opened in this row and not closed within 131,072 characters",
}


def _row(line: int, cells: Sequence[str], wanted: Columns, common: Common) -> Row | BadRow:
    faults = list(_shape(cells, wanted))
    if faults:
        return BadRow(line, tuple(faults))
    message: dict[str, Any] = {"userStatus": {}}
    for cell, column in zip(cells, wanted.columns, strict=True):
        if column.path is not None and cell.strip():
            *above, name = column.path
            (message["userStatus"] if above else message)[name] = _READERS.get(name, str)(cell.strip())
    return row(line, message, common, wanted.called)


def _shape(cells: Sequence[str], wanted: Columns) -> Iterator[RowFault]:
    if len(cells) != len(wanted.columns):
        hint = ": is a delimiter unquoted?" if len(cells) > len(wanted.columns) else ""
        yield RowFault("row", f"has {len(cells)} cells, the header {len(wanted.columns)}{hint}")
        return
    for cell, column in zip(cells, wanted.columns, strict=True):
        garbled = not_utf8(cell)
        if garbled:
            yield RowFault(column.name or "row", garbled)
        if not column.name and cell.strip():
            yield RowFault("row", "has a value in a column without a name")


def _count(cell: str) -> int | str:
    return int(cell) if _INTEGER.fullmatch(cell) else cell


_READERS: dict[str, Callable[[str], int | str]] = {"devicesCount": _count}
