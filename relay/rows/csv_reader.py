"""CSV as spreadsheets write it: three delimiters, quoted line breaks, ragged and empty lines. Pure."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from relay.rows.csv_header import Columns, count_known, read_header
from relay.rows.row import InvalidRow, Row, RowDefaults, RowFault, UnreadableFile, encoding_fault, parse_row

_DELIMITERS: Final = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*")  # Excel's own first line
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


def csv_rows(
    lines: Iterable[str], defaults: RowDefaults, *, ignore_unknown: bool = False
) -> Iterator[Row | InvalidRow]:
    """Yield the rows. Raise ``UnreadableFile`` for a wrong header, and where quotes make the rest unreadable."""
    counted = _CountedLines(lines)
    delimiter, first = _read_delimiter(counted)
    if first is None:
        raise UnreadableFile("the file is empty: a header and rows are wanted")
    records = _records(chain([first], counted), delimiter, lines_before=counted.number - 1)
    line, header = next(records)
    garbled = encoding_fault("".join(header))
    if garbled:
        raise UnreadableFile(f"the header {garbled}", line)
    columns = read_header(header, defaults, line, ignore_unknown=ignore_unknown)
    for line, cells in records:
        if any(cell.strip() for cell in cells):
            yield _row(line, cells, columns, defaults)


class _CountedLines:
    """Lines; ``number`` is how many were read."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.number = iter(lines), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def _read_delimiter(lines: _CountedLines) -> tuple[str, str | None]:
    """Return the delimiter and the header's first line, None in an empty file."""
    named: str | None = None
    for line in lines:
        separator = _SEPARATOR_LINE.fullmatch(line.strip()) if lines.number == 1 else None
        if separator:
            named = separator[1]
        elif line.strip():
            return named or _delimiter_of(line), line
    return ",", None


def _delimiter_of(line: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: count_known(next(csv.reader([line], delimiter=delimiter))))


def _records(lines: Iterable[str], delimiter: str, *, lines_before: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines_before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(_QUOTE_FAULTS.get(str(error), str(error)), line) from None
        yield line, cells


_QUOTE_FAULTS = {
    "unexpected end of data": "a quote is opened in this row and never closed",
    "field larger than field limit (131072)": "a quote is opened in this row and not closed within 131,072 characters",
}


def _row(line: int, cells: Sequence[str], columns: Columns, defaults: RowDefaults) -> Row | InvalidRow:
    faults = list(_shape_faults(cells, columns))
    if faults:
        return InvalidRow(line, tuple(faults))
    message: dict[str, Any] = {"userStatus": {}}
    for cell, column in zip(cells, columns.columns, strict=True):
        if column.path is not None and cell.strip():
            *parents, name = column.path
            (message["userStatus"] if parents else message)[name] = _READERS.get(name, str)(cell.strip())
    return parse_row(line, message, defaults, columns.name_of)


def _shape_faults(cells: Sequence[str], columns: Columns) -> Iterator[RowFault]:
    if len(cells) != len(columns.columns):
        hint = ": is a delimiter unquoted?" if len(cells) > len(columns.columns) else ""
        yield RowFault("row", f"has {len(cells)} cells, the header {len(columns.columns)}{hint}")
        return
    for cell, column in zip(cells, columns.columns, strict=True):
        garbled = encoding_fault(cell)
        if garbled:
            yield RowFault(column.name or "row", garbled)
        if not column.name and cell.strip():
            yield RowFault("row", "has a value in a column without a name")


def _integer(cell: str) -> int | str:
    return int(cell) if _INTEGER.fullmatch(cell) else cell


_READERS: dict[str, Callable[[str], int | str]] = {"devicesCount": _integer}
