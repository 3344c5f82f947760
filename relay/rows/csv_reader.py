"""CSV as spreadsheets write it: four delimiters, quoted line breaks, ragged and empty lines. Pure."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final

from relay.rows.csv_header import Columns, count_known, read_header
from relay.rows.csv_records import QUOTE_FAULT, CountedLines, Record, read_records
from relay.rows.options import ReadOptions
from relay.rows.row import InvalidRow, Row, RowDefaults, RowFault, UnreadableFile, encoding_fault, parse_row
from shared.core.intake.limits import MAX_MESSAGE_BYTES

_DELIMITERS: Final = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*")  # of Excel
_TYPE_LINE = re.compile(r'"?#TYPE\s.*')  # of Export-Csv in Windows PowerShell
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_MIN_KNOWN_COLUMNS = 2


def csv_rows(lines: Iterable[str], options: ReadOptions) -> Iterator[Row | InvalidRow]:
    """Yield the rows. Raise ``UnreadableFile`` for a wrong header, and where quotes make the rest unreadable."""
    counted = CountedLines(lines)
    delimiter, first = _read_delimiter(counted)
    if first is None:
        raise UnreadableFile("the file is empty: it needs a header and rows")
    records = read_records(chain([first], counted), delimiter, lines_before=counted.number - 1)
    header = next(records)
    _check_header(header)
    columns = read_header(header.cells, header.line, options)
    for record in records:
        if any(cell.strip() for cell in record.cells):
            yield _row(record, columns, options.defaults)


def _read_delimiter(lines: CountedLines) -> tuple[str, str | None]:
    """Return the delimiter and the header's first line, None in an empty file."""
    named: str | None = None
    for line in lines:
        separator = _SEPARATOR_LINE.fullmatch(line.strip())
        if separator:
            named = separator[1]
        elif line.strip() and not _TYPE_LINE.fullmatch(line.strip()):
            return named or _delimiter_of(line), line
    return ",", None


def _delimiter_of(line: str) -> str:
    return max(_DELIMITERS, key=lambda delimiter: count_known(next(csv.reader([line], delimiter=delimiter))))


def _check_header(header: Record) -> None:
    """Raise ``UnreadableFile`` for a header that is no list of columns."""
    garbled, first = encoding_fault(header.text), header.cells[0]
    if garbled:
        raise UnreadableFile(f"the header {garbled}", header.line)
    if len(header.cells) == 1 and count_known(re.split("[,;\t|]", first.replace('"', ""))) >= _MIN_KNOWN_COLUMNS:
        raise UnreadableFile("the header is one quoted cell: remove the quotes around each whole line", header.line)
    if first.startswith("#") and not count_known(header.cells):
        raise UnreadableFile("this line is a comment, not the header: remove it", header.line)
    if header.has_stray_quote:
        raise UnreadableFile(f"the header {QUOTE_FAULT}", header.line)


def _row(record: Record, columns: Columns, defaults: RowDefaults) -> Row | InvalidRow:
    faults = list(_shape_faults(record, columns))
    if faults:
        return InvalidRow(record.line, tuple(faults))
    message: dict[str, Any] = {"userStatus": {}}
    for cell, column in zip(record.cells, columns.columns, strict=True):
        if column.path is not None:
            *parents, name = column.path
            text = cell if name in _NAMES else cell.strip()
            if text:
                value = column.rule.value(text) if column.rule else text
                (message["userStatus"] if parents else message)[name] = _READERS.get(name, str)(value)
    row = parse_row(record.line, message, defaults, columns.name_of)
    return row if isinstance(row, Row) else replace(row, faults=tuple(map(_with_hint, row.faults)))


def _shape_faults(record: Record, columns: Columns) -> Iterator[RowFault]:
    cells = record.cells
    if _is_header(cells, columns):
        yield RowFault("row", "is the header again: were files joined?")
        return
    if record.has_stray_quote:
        yield RowFault("row", QUOTE_FAULT)
        return
    if len(cells) != len(columns.columns):
        hint = ": is a delimiter unquoted?" if len(cells) > len(columns.columns) else ""
        yield RowFault("row", f"has {len(cells)} cells, the header {len(columns.columns)}{hint}")
        return
    for cell, column in zip(cells, columns.columns, strict=True):
        garbled = encoding_fault(cell)
        if garbled:
            yield RowFault(column.name or "row", garbled)
        if column.path is not None and len(cell) > MAX_MESSAGE_BYTES:
            yield RowFault(
                column.name, f"has {len(cell)} characters: too long, a message has at most {MAX_MESSAGE_BYTES} bytes"
            )
        if not column.name and cell.strip():
            yield RowFault("row", "has a value in a column without a name")


def _is_header(cells: Sequence[str], columns: Columns) -> bool:
    """Return whether a row is the header; a byte order mark before it makes its first quotes a part of the cell."""
    return [cell.strip('\ufeff" ') for cell in cells] == [column.name for column in columns.columns]


def _with_hint(fault: RowFault) -> RowFault:
    if "must not come together" not in fault.detail:
        return fault
    return replace(fault, detail=f"{fault.detail} (meant: column userStatus.userPrincipalName?)")


def _integer(cell: str) -> int | str:
    return int(cell) if _INTEGER.fullmatch(cell) else cell


#: Members whose cells are passed on as they are: spaces are part of a field (RFC 4180, section 2.4).
_NAMES: Final = frozenset({"userDisplayName", "userPrincipalName"})
_READERS: dict[str, Callable[[str], int | str]] = {"devicesCount": _integer}
